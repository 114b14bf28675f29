package certificate

import (
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/services/certificate/db"
)

// What the audit records of a certificate say of its row, by groups: all columns but
// its id, which names it, and its state, which the records are.
const (
	// groupCertificate: number, request_key, citizen_id, kind, requested_at, issued_at.
	// Said when it is asked for and when it is issued.
	groupCertificate = "certificate"
	// groupDocument: intent_sealed, signed_sealed. Said with them.
	groupDocument = "document"
	// groupHolder: citizen_id, holder_id, holder_ref. Said with them where it is about somebody
	// else than who asked.
	groupHolder = "holder"
	// groupRevocation: number, revoked_at. Said when it is revoked.
	groupRevocation = "revocation"
	// groupShare is of a code for offices, an object of its own: certificate_id, phone_index,
	// made_at, expires_at, void_at. Said when it is made and when it is ended; how often it was
	// tried and opened is not said.
	groupShare = "share"
)

// decided is what a row that is requested or issued says.
func decided(row db.Certificate) []*audit.Group {
	groups := []*audit.Group{certificateGroup(row), documentGroup(row)}
	if ofAnother(row) {
		groups = append(groups, holderGroup(row))
	}
	return groups
}

// ofAnother reports that a certificate is about somebody else than who asked for it.
func ofAnother(row db.Certificate) bool { return row.HolderID != "" || row.HolderRef != "" }

func holderGroup(row db.Certificate) *audit.Group {
	return audit.Decided(groupHolder).Text(row.CitizenID, row.HolderID, row.HolderRef)
}

func certificateGroup(row db.Certificate) *audit.Group {
	return audit.Decided(groupCertificate).Text(row.Number, row.RequestKey, row.CitizenID, row.Kind).Moment(row.RequestedAt, row.IssuedAt)
}

func documentGroup(row db.Certificate) *audit.Group {
	return audit.Decided(groupDocument).Sealed(row.IntentSealed, row.SignedSealed)
}

func revocationGroup(row db.Certificate) *audit.Group {
	return audit.Decided(groupRevocation).Text(row.Number).Moment(row.RevokedAt)
}

func shareGroup(row db.CertificateShare) *audit.Group {
	return audit.Decided(groupShare).Text(row.CertificateID, row.PhoneIndex).Moment(row.MadeAt, row.ExpiresAt, row.VoidAt)
}
