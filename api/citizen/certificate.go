package citizen

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	openapi_types "github.com/oapi-codegen/runtime/types"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/mandate"
	"github.com/eshik-kg/eshik/platform/module"
	"github.com/eshik-kg/eshik/services/certificate"
)

func (s *Server) certificates() *certificate.Service {
	return module.Of[*certificate.Service](s.Modules)
}

// RequestCertificate issues a certificate.
func (s *Server) RequestCertificate(ctx context.Context, r RequestCertificateRequestObject) (RequestCertificateResponseObject, error) {
	issued, err := s.request(ctx, certificate.KindOf(string(r.Body.Kind)), r.Body.Child, r.Body.Mandate)
	if err != nil {
		return nil, err
	}
	return RequestCertificate201JSONResponse(certificateView(issued)), nil
}

// ListCertificateKinds lists all kinds of certificates, for anybody.
func (s *Server) ListCertificateKinds(ctx context.Context, _ ListCertificateKindsRequestObject) (ListCertificateKindsResponseObject, error) {
	return ListCertificateKinds200JSONResponse(api.Each(certificate.Catalogue(), func(e certificate.Entry) CertificateKindEntry {
		out := CertificateKindEntry{
			Kind: CertificateKind(e.Public), Way: CertificateKindEntryWay(e.Way.Is), Level: e.Level.Is, Issued: s.certificates().Offered(e.Code),
			Where:      s.Texts.Text(api.LocaleFrom(ctx), e.AtKey()),
			Unverified: api.Each(e.Unverified(), func(name string) CertificateKindEntryUnverified { return CertificateKindEntryUnverified(name) }),
		}
		out.Names.Ky, out.Names.Ru, out.Names.En = e.Names.KY, e.Names.RU, e.Names.EN
		if e.Price != nil {
			price := int64(e.Price.Tyiyn)
			out.Price, out.Days = &price, &e.Price.Days
		}
		if e.Urgent != nil {
			out.UrgentHours = &e.Urgent.Hours
		}
		return out
	})), nil
}

func (s *Server) request(ctx context.Context, kind certificate.Kind, child, under *string) (certificate.Certificate, error) {
	if under != nil && child != nil { // it is about one person
		return certificate.Certificate{}, mandate.ErrAbsent
	}
	if under != nil {
		return s.certificates().RequestUnder(ctx, who(ctx), kind, *under)
	}
	if child == nil {
		return s.certificates().Request(ctx, who(ctx), kind)
	}
	return s.certificates().RequestForChild(ctx, who(ctx), kind, *child)
}

// ListCertificateChildren lists the children for whom the citizen may request one.
func (s *Server) ListCertificateChildren(ctx context.Context, _ ListCertificateChildrenRequestObject) (ListCertificateChildrenResponseObject, error) {
	children, err := s.certificates().Children(ctx, who(ctx))
	if err != nil {
		return nil, err
	}
	return ListCertificateChildren200JSONResponse(api.Each(children, func(c certificate.Child) Child {
		return Child{Ref: c.Ref, Name: c.Name, Born: &openapi_types.Date{Time: c.Born}}
	})), nil
}

// ListCertificates lists one's own.
func (s *Server) ListCertificates(ctx context.Context, _ ListCertificatesRequestObject) (ListCertificatesResponseObject, error) {
	all, err := s.certificates().List(ctx, who(ctx))
	if err != nil {
		return nil, err
	}
	return ListCertificates200JSONResponse(api.Each(all, certificateView)), nil
}

// DownloadCertificate gives the PDF to its owner.
func (s *Server) DownloadCertificate(ctx context.Context, r DownloadCertificateRequestObject) (DownloadCertificateResponseObject, error) {
	pdf, err := s.certificates().PDF(ctx, who(ctx), r.Number)
	if err != nil {
		return nil, err
	}
	number, _ := certificate.ParseNumber(r.Number) // it was found
	return DownloadCertificate200ApplicationpdfResponse{
		Body: bytes.NewReader(pdf), ContentLength: int64(len(pdf)),
		Headers: DownloadCertificate200ResponseHeaders{ContentDisposition: api.Attachment(certificate.ShowNumber(number) + ".pdf")},
	}, nil
}

// VerifyNumber verifies by number, for anybody.
func (s *Server) VerifyNumber(ctx context.Context, r VerifyNumberRequestObject) (VerifyNumberResponseObject, error) {
	view, err := s.certificates().Verify(ctx, who(ctx), r.Number)
	if err != nil {
		return nil, err
	}
	answer := s.verification(view, api.LocaleFrom(ctx))
	answer.Notice = api.Optional(s.Texts.Text(api.LocaleFrom(ctx), "verify.number_only"))
	return VerifyNumber200JSONResponse(answer), nil
}

// VerifyCode verifies the content of a QR, for anybody.
func (s *Server) VerifyCode(ctx context.Context, r VerifyCodeRequestObject) (VerifyCodeResponseObject, error) {
	signed, err := s.certificates().VerifyQR(ctx, who(ctx), r.Body.Qr)
	if err != nil {
		return nil, err
	}
	return VerifyCode200JSONResponse(s.whole(signed, api.LocaleFrom(ctx))), nil
}

// ShareCertificate gives a code by which an office sees it.
func (s *Server) ShareCertificate(ctx context.Context, r ShareCertificateRequestObject) (ShareCertificateResponseObject, error) {
	made, err := s.certificates().Share(ctx, who(ctx), r.Number)
	if err != nil {
		return nil, err
	}
	return ShareCertificate201JSONResponse{
		Number: certificate.ShowNumber(made.Number), Code: made.Code, ExpiresAt: made.ExpiresAt, Opened: made.Opened,
	}, nil
}

// UnshareCertificate ends its code.
func (s *Server) UnshareCertificate(ctx context.Context, r UnshareCertificateRequestObject) (UnshareCertificateResponseObject, error) {
	if err := s.certificates().Unshare(ctx, who(ctx), r.Number); err != nil {
		return nil, err
	}
	return UnshareCertificate204Response{}, nil
}

// OpenSharedCertificate shows an office a certificate whole.
func (s *Server) OpenSharedCertificate(ctx context.Context, r OpenSharedCertificateRequestObject) (OpenSharedCertificateResponseObject, error) {
	signed, err := s.certificates().OpenShared(ctx, who(ctx), openingOf(*r.Body))
	if err != nil {
		return nil, err
	}
	return OpenSharedCertificate200JSONResponse(s.whole(signed, api.LocaleFrom(ctx))), nil
}

// DownloadSharedCertificate gives an office the document.
func (s *Server) DownloadSharedCertificate(ctx context.Context, r DownloadSharedCertificateRequestObject) (DownloadSharedCertificateResponseObject, error) {
	pdf, err := s.certificates().SharedPDF(ctx, who(ctx), openingOf(*r.Body))
	if err != nil {
		return nil, err
	}
	return DownloadSharedCertificate200ApplicationpdfResponse{Body: bytes.NewReader(pdf), ContentLength: int64(len(pdf))}, nil
}

func openingOf(b Opening) certificate.Opening {
	return certificate.Opening{Number: b.Number, Code: b.Code, Office: string(b.Office)}
}

// whole is a verification with all that was signed.
func (s *Server) whole(signed certificate.Signed, loc locales.Locale) Verification {
	answer := s.verification(signed.View(), loc)
	texts := api.Each(s.certificates().Words(signed), func(w certificate.Words) SignedText {
		return SignedText{Language: SignedTextLanguage(w.Locale), Title: w.Title, Lines: api.Each(w.Lines, func(l certificate.Line) SignedLine {
			return SignedLine{Label: l.Label, Value: l.Value}
		})}
	})
	answer.TextChecked, answer.SignedText = true, &texts
	return answer
}

func certificateView(c certificate.Certificate) Certificate {
	return Certificate{
		Number: certificate.ShowNumber(c.Number), Kind: CertificateKind(c.Kind.Public()), State: CertificateState(c.State),
		Child: api.Optional(c.Child), Giver: api.Optional(c.Giver), IssuedAt: api.Optional(c.IssuedAt),
	}
}

func (s *Server) verification(v certificate.View, loc locales.Locale) Verification {
	status := VerificationStatusValid
	if !v.RevokedAt.IsZero() {
		status = VerificationStatusRevoked
	}
	return Verification{
		Number: certificate.ShowNumber(v.Number), Kind: CertificateKind(v.Kind.Public()), Title: s.Texts.Text(loc, v.Kind.TitleKey()),
		Initials: v.Initials, BirthYear: v.BirthYear, IssuedOn: openapi_types.Date{Time: clock.Date(v.IssuedAt)}, Status: status,
	}
}

// How long what verifies certificates may be kept by whoever fetched it.
var (
	trustCached  = fmt.Sprintf("public, max-age=%d", int(certificate.TrustCached.Seconds()))
	statusCached = fmt.Sprintf("public, max-age=%d", int(certificate.StatusCached.Seconds()))
)

// ListCertificateKeys publishes the keys by which certificates are verified.
func (s *Server) ListCertificateKeys(ctx context.Context, _ ListCertificateKeysRequestObject) (ListCertificateKeysResponseObject, error) {
	keys, err := s.certificates().TrustedKeys(ctx)
	if err != nil {
		return nil, err
	}
	return ListCertificateKeys200JSONResponse{
		Headers: ListCertificateKeys200ResponseHeaders{CacheControl: trustCached},
		Body:    CertificateKeys{Keys: api.Each(keys, certificateKey)},
	}, nil
}

// GetCertificateKeySet publishes them as a COSE_KeySet.
func (s *Server) GetCertificateKeySet(ctx context.Context, _ GetCertificateKeySetRequestObject) (GetCertificateKeySetResponseObject, error) {
	set, err := s.certificates().KeySet(ctx)
	if err != nil {
		return nil, err
	}
	return GetCertificateKeySet200ApplicationcoseKeySetResponse{
		Body: bytes.NewReader(set), ContentLength: int64(len(set)), Headers: GetCertificateKeySet200ResponseHeaders{CacheControl: trustCached},
	}, nil
}

// GetCertificateStatus publishes which certificates were revoked.
func (s *Server) GetCertificateStatus(ctx context.Context, r GetCertificateStatusRequestObject) (GetCertificateStatusResponseObject, error) {
	list, err := s.certificates().StatusList(ctx, r.List)
	if err != nil {
		return nil, err
	}
	return GetCertificateStatus200ApplicationvcJwtResponse{
		Body: strings.NewReader(list), ContentLength: int64(len(list)), Headers: GetCertificateStatus200ResponseHeaders{CacheControl: statusCached},
	}, nil
}

// GetCertificateTrust publishes all that verifying without network takes.
func (s *Server) GetCertificateTrust(ctx context.Context, _ GetCertificateTrustRequestObject) (GetCertificateTrustResponseObject, error) {
	bundle, err := s.certificates().Trust(ctx)
	if err != nil {
		return nil, err
	}
	return GetCertificateTrust200ApplicationjwtResponse{
		Body: strings.NewReader(bundle), ContentLength: int64(len(bundle)), Headers: GetCertificateTrust200ResponseHeaders{CacheControl: statusCached},
	}, nil
}

func certificateKey(k certificate.TrustedKey) CertificateKey {
	out := CertificateKey{
		Kty: CertificateKeyKty(k.Type), Crv: CertificateKeyCrv(k.Curve), Kid: k.ID, Alg: CertificateKeyAlg(k.Algorithm), Use: CertificateKeyUse(k.Use),
		X: k.X, Y: k.Y, Nbf: k.From, Exp: api.Optional(k.Until),
	}
	if k.Revoked != nil {
		out.Revoked = &struct {
			// RevokedAt Since when that is known, in seconds since 1970
			RevokedAt int64 `json:"revoked_at"`
		}{k.Revoked.At}
	}
	return out
}
