package app

import "github.com/eshik-kg/eshik/platform/reseal"

// Sealed has every column of values that the data keys seal, with what each value is sealed
// for: keys are rotated, and `eshik fsck` opens every value, by it. A test fails for a column
// of bytes that is neither here nor in Unsealed, and fsck where a context is not the one that
// the column's own code seals for.
var Sealed = []reseal.Column{
	{Table: "certificates", Name: "intent_sealed", Key: []string{"id"}, Context: reseal.Bound("certificate.intent:")},
	{Table: "certificates", Name: "signed_sealed", Key: []string{"id"}, Context: reseal.Bound("certificate.signed:")},
	{Table: "document_keys", Name: "sealed", Key: []string{"kid"}, Context: reseal.Bound("sign.document:")},
	{Table: "fine_appeal_file_contents", Name: "content_sealed", Key: []string{"file_id"}, Context: reseal.Bound("fine.appeal.file:")},
	{Table: "fine_appeals", Name: "answer_sealed", Key: []string{"id"}, Context: reseal.Bound("fine.appeal.answer:")},
	{Table: "fine_appeals", Name: "plate_sealed", Key: []string{"id"}, Context: reseal.Bound("fine.appeal.plate:")},
	{Table: "fine_appeals", Name: "text_sealed", Key: []string{"id"}, Context: reseal.Bound("fine.appeal.text:")},
	{Table: "fine_cars", Name: "phone_sealed", Key: []string{"id"}, Context: reseal.Bound("fine.car.phone:")},
	{Table: "fine_cars", Name: "plate_sealed", Key: []string{"id"}, Context: reseal.Bound("fine.car.plate:")},
	{Table: "fine_photo_links", Name: "plate_sealed", Key: []string{"id"}, Context: reseal.Bound("fine.photo.plate:")},
	{Table: "identity_attempts", Name: "pin_sealed", Key: []string{"id"}, Context: reseal.Bound("identity.attempt")},
	{Table: "identity_bindings", Name: "phone_sealed", Key: []string{"citizen_id", "phone_index"}, Context: reseal.In("identity.binding")},
	{Table: "identity_citizens", Name: "pin_sealed", Key: []string{"id"}, Context: reseal.In("identity.pin")},
	{Table: "identity_enrolments", Name: "called_sealed", Key: []string{"id"}, Context: reseal.Bound("identity.called/")},
	{Table: "identity_keys", Name: "private_sealed", Key: []string{"kid"}, Context: tokenKeyContext},
	{Table: "identity_national_sign_ins", Name: "phone_sealed", Key: []string{"id"}, Context: reseal.In("identity.national.phone")},
	{Table: "identity_national_sign_ins", Name: "secret_sealed", Key: []string{"id"}, Context: reseal.Bound("identity.national/")},
	{Table: "identity_proofs", Name: "called_sealed", Key: []string{"id"}, Context: reseal.Bound("identity.called/")},
	{Table: "identity_secrets", Name: "called_sealed", Key: []string{"citizen_id", "phone_index"}, Context: reseal.In("identity.called/secret")},
	{Table: "identity_sign_ins", Name: "label_sealed", Key: []string{"id"}, Context: reseal.In("identity.sign_in.device")},
	{Table: "identity_sign_ins", Name: "phone_sealed", Key: []string{"id"}, Context: reseal.In("identity.sign_in.phone")},
	{Table: "mandates", Name: "giver_sealed", Key: []string{"id"}, Context: reseal.Bound("mandate.giver/")},
	{Table: "mandates", Name: "holder_sealed", Key: []string{"id"}, Context: reseal.Bound("mandate.holder/")},
	{Table: "notify_messages", Name: "phone_sealed", Key: []string{"id"}, Context: reseal.In("notify.phone")},
	{Table: "notify_messages", Name: "text_sealed", Key: []string{"id"}, Context: reseal.In("notify.text")},
	{Table: "owndata_erasures", Name: "phone_sealed", Key: []string{"id"}, Context: reseal.Bound("owndata.phone/")},
	{Table: "partner_webhook_secrets", Name: "sealed", Key: []string{"id"}, Context: reseal.Bound("webhook.secret/")},
	{Table: "payments", Name: "phone_sealed", Key: []string{"id"}, Context: reseal.In("payment.phone")},
	{Table: "preschool_registrations", Name: "child", Key: []string{"id"}, Context: reseal.Bound("preschool.child:")},
	{Table: "preschool_registrations", Name: "phone", Key: []string{"id"}, Context: reseal.Bound("preschool.phone:")},
	{Table: "preschool_runs", Name: "seed_sealed", Key: []string{"id"}, Context: reseal.Bound("preschool.seed:")},
	{Table: "sign_keys", Name: "sealed", Key: []string{"kid"}, Context: reseal.Bound("sign.key:")},
	{Table: "sms_brakes", Name: "phone_sealed", Key: []string{"sender"}, Context: reseal.In("sms_brakes.phone")},
	{Table: "sms_inbound", Name: "sealed", Key: []string{"provider", "message_id"}, Context: reseal.Bound("sms_inbound.sealed ")},
	{Table: "staff_accounts", Name: "totp_sealed", Key: []string{"id"}, Context: reseal.Bound("staff.totp:")},
	{Table: "staff_proposals", Name: "sealed", Key: []string{"id"}, Context: reseal.Bound("staff.proposal:")},
	{Table: "transparency_trees", Name: "key_sealed", Key: []string{"name"}, Context: reseal.Bound("transparency.key.")},
}

// Unsealed are the other columns of bytes, and why no data key seals them.
var Unsealed = map[string]string{
	"document_keys.certificate": "public",
	"seal_keys.wrapped":         "the keys themselves, wrapped by a master key",
	"session_promises.sealed":   "sealed by a key that follows from that of the blind indexes; 30 days at most",
	"session_records.sealed":    "sealed by a key that follows from that of the blind indexes; minutes",
	"sign_keys.public":          "public",
	"transparency_hashes.hash":  "public",
}

// tokenKeyContext is what a key of access tokens is sealed for. The first one of houses of
// before is bound to no row.
func tokenKeyContext(key []string) string {
	if key[0] == "t1" {
		return "identity.key"
	}
	return "identity.key/" + key[0]
}
