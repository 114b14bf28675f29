package citizen

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/api/partner"
	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/assurance"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/mandate"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/services/certificate"
	"github.com/eshik-kg/eshik/services/fine"
	"github.com/eshik-kg/eshik/services/owndata"
	"github.com/eshik-kg/eshik/services/preschool"
)

// everybody are citizens who never signed in.
func everybody() api.Audience {
	nobody := func(context.Context, string) (api.Principal, error) {
		return api.Principal{}, problem.New(problem.Unauthenticated, "problem.identity_token")
	}
	return Audience(nobody, nil, languages{}, func(turn string) string { return turn }, time.Now)
}

// languages are those of phones whose owners chose none.
type languages struct{}

// Locale implements api.Languages.
func (languages) Locale(context.Context, string) (locales.Locale, error) { return "", nil }

// TestTheAudienceIsWhole: citizens cannot be served without who says who they are, what
// language they chose, what makes their keys pseudonyms, and a clock.
func TestTheAudienceIsWhole(t *testing.T) {
	t.Parallel()
	for missing, audience := range map[string]api.Audience{
		"says who asks": Audience(nil, nil, languages{}, func(turn string) string { return turn }, time.Now),
		"Languages":     Audience(nil, nil, nil, func(turn string) string { return turn }, time.Now),
		"Index":         Audience(nil, nil, languages{}, nil, time.Now),
		"Now":           Audience(nil, nil, languages{}, func(turn string) string { return turn }, nil),
	} {
		if _, err := api.NewContract(Document, audience); err == nil || !strings.Contains(err.Error(), missing) {
			t.Errorf("without what %q names: %v", missing, err)
		}
	}
}

func document(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(Document)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// TestTheContractHasNoWarnings (A15): Spectral's own rules for OpenAPI, hints too.
func TestTheContractHasNoWarnings(t *testing.T) {
	t.Parallel()
	modules := os.Getenv("ESHIK_TEST_NODE_MODULES")
	if modules == "" {
		t.Fatal("ESHIK_TEST_NODE_MODULES is not set: run the tests with `make test`, which installs the packages of tools/node")
	}
	spectral := filepath.Join(modules, ".bin", "spectral")
	lint := func(file string) (string, error) {
		out, err := exec.CommandContext(t.Context(), spectral, "lint", "-r", "../.spectral.yaml", "--fail-severity=hint", file).CombinedOutput()
		return string(out), err
	}
	if out, err := lint("openapi.yaml"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	// That it can fail: a contract without descriptions.
	worse := filepath.Join(t.TempDir(), "openapi.yaml")
	if err := os.WriteFile(worse, []byte(strings.ReplaceAll(string(Document), "description:", "x-description:")), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := lint(worse); err == nil {
		t.Errorf("a contract without descriptions has no warnings: %s", out)
	}
}

// TestTheContractHoldsItself: the document is valid, each example by its schema.
func TestTheContractHoldsItself(t *testing.T) {
	t.Parallel()
	if err := document(t).Validate(t.Context(), openapi3.EnableExamplesValidation(), openapi3.EnableSchemaDefaultsValidation()); err != nil {
		t.Error(err)
	}
}

// operations calls f for every operation.
func operations(t *testing.T, f func(name string, o *openapi3.Operation)) {
	t.Helper()
	for path, item := range document(t).Paths.Map() {
		for method, operation := range item.Operations() {
			f(method+" "+path, operation)
		}
	}
}

// TestEveryBodyHasAnExample (A15): what is sent, and what comes back.
func TestEveryBodyHasAnExample(t *testing.T) {
	t.Parallel()
	shown := func(content openapi3.Content) bool {
		media := content.Get("application/json")
		if media == nil || media.Example != nil {
			return true
		}
		schema := media.Schema.Value
		return schema.Example != nil || schema.Items != nil && schema.Items.Value.Example != nil
	}
	operations(t, func(name string, o *openapi3.Operation) {
		if o.RequestBody != nil && !shown(o.RequestBody.Value.Content) {
			t.Errorf("%s shows no request", name)
		}
		for status, response := range o.Responses.Map() {
			if !shown(response.Value.Content) {
				t.Errorf("%s shows no answer %s", name, status)
			}
			if problem := response.Value.Content["application/problem+json"]; problem != nil && problem.Example == nil {
				t.Errorf("%s shows no problem %s", name, status)
			}
		}
	})
}

// policies are those of the services, by their names.
var policies = map[string]assurance.Policy{
	"fine": fine.Assurance, "certificate": certificate.Assurance, "preschool": preschool.Assurance, "owndata": owndata.Assurance, "mandate": mandate.Assurance,
}

// neededLevel is the level that a policy needs today.
func neededLevel(name string) caller.Level {
	service, operation, _ := strings.Cut(name, ".")
	if policy, known := policies[service]; known {
		return policy.Needs(operation, time.Now())
	}
	return assurance.Own.Needs(name, time.Now())
}

// levelOf is the level that an operation asks for.
func levelOf(o *openapi3.Operation) caller.Level {
	for _, level := range []caller.Level{caller.LevelWeak, caller.LevelStrong} {
		if o.Security != nil && len(*o.Security) > 0 {
			if _, asked := (*o.Security)[0][level.String()]; asked {
				return level
			}
		}
	}
	return caller.LevelPhone
}

// TestTheContractAsksWhatThePolicyNeeds: each operation that needs to know the person names
// its policy, and asks for that level today.
func TestTheContractAsksWhatThePolicyNeeds(t *testing.T) {
	t.Parallel()
	named := map[string]bool{}
	operations(t, func(name string, o *openapi3.Operation) {
		level := levelOf(o)
		policy, _ := o.Extensions["x-policy"].(string)
		if named[policy] = true; (level == caller.LevelPhone) != (policy == "") {
			t.Errorf("%s asks for %q, its policy is %q", name, level, policy)
		}
		if want := neededLevel(policy); policy != "" && want != level {
			t.Errorf("%s asks for %q, the policy %s for %q", name, level, policy, want)
		}
	})
	for service, policy := range policies {
		for _, name := range policy.Operations() {
			if name = service + "." + name; name != "preschool.place" && !named[name] { // which the dialogue alone shows
				t.Errorf("no operation has the policy %s", name)
			}
		}
	}
}

// TestEveryOperationNamesItsErrors (A15): by what the middleware can answer.
func TestEveryOperationNamesItsErrors(t *testing.T) {
	t.Parallel()
	operations(t, func(name string, o *openapi3.Operation) {
		want := []string{"400", "405", "429", "default"}
		if o.RequestBody != nil {
			want = append(want, "415")
		}
		if o.Security != nil {
			want = append(want, "401")
			if level := levelOf(o); level >= caller.LevelWeak {
				want = append(want, "403")
			}
		}
		if o.Parameters.GetByInAndName("header", "Idempotency-Key") != nil {
			want = append(want, "422")
		}
		for _, status := range want {
			if o.Responses.Value(status) == nil {
				t.Errorf("%s does not name %s", name, status)
			}
		}
		if many := o.Responses.Value("429"); many != nil && many.Value.Headers["Retry-After"] == nil {
			t.Errorf("%s: 429 without Retry-After", name)
		}
		if o.Responses.Value("405").Value.Headers["Allow"] == nil {
			t.Errorf("%s: 405 without Allow", name)
		}
	})
}

// TestEnumsAreTheServices (A15, A7): a state or kind of a service that the contract
// does not have would be an answer against it.
func TestEnumsAreTheServices(t *testing.T) {
	t.Parallel()
	for _, s := range []payment.State{
		payment.Quoted, payment.Awaiting, payment.Accepted, payment.Settled, payment.RefundDue, payment.Refused,
	} {
		if !PaymentState(s).Valid() {
			t.Errorf("a payment's state %s is not in the contract", s)
		}
	}
	for _, o := range []payment.Outcome{
		payment.OutcomePaid, payment.OutcomeCancelled, payment.OutcomeChanged, payment.OutcomeUnknown,
	} {
		if !RefundReason(o).Valid() {
			t.Errorf("the reason of a refund %s is not in the contract", o)
		}
	}
	for _, s := range []certificate.State{certificate.Requested, certificate.Issued, certificate.Revoked} {
		if !CertificateState(s).Valid() {
			t.Errorf("a certificate's state %s is not in the contract", s)
		}
	}
	for _, kind := range certificate.Kinds() {
		if name := CertificateKind(kind.Public()); !name.Valid() {
			t.Errorf("the kind %s is %s in an answer, which CertificateKind of the contract lacks: add it, then make generate", kind, name)
		}
		if asked := certificate.KindOf(kind.Public()); asked != kind {
			t.Errorf("the kind %s is %s in a request", kind, asked)
		}
	}
	for _, s := range []preschool.State{preschool.StateWaiting, preschool.StateOffered, preschool.StatePlaced, preschool.StateLeft} {
		if !RegistrationState(s).Valid() {
			t.Errorf("a registration's state %s is not in the contract", s)
		}
	}
	for _, s := range []preschool.OfferState{preschool.Open, preschool.Accepted, preschool.Declined, preschool.Missed} {
		if !OfferState(s).Valid() {
			t.Errorf("an offer's state %s is not in the contract", s)
		}
	}
	var listed []api.FaultCode
	for _, value := range document(t).Components.Schemas["FaultCode"].Value.Enum {
		code, _ := value.(string)
		listed = append(listed, api.FaultCode(code))
	}
	if !slices.Equal(listed, api.FaultCodes) {
		t.Errorf("the contract lists the faults %v, not %v", listed, api.FaultCodes)
	}
}

// faultOf is a problem in an x-fault-of.
var faultOf = regexp.MustCompile(`(problem\.[a-z_]+): [a-z]`)

// TestEveryProblemNamesItsField (A3): of each problem of status 400 the contract says which
// field of a request is its cause (x-fault-of), or that none is; and of no others than are
// told, nor where no request has the field.
func TestEveryProblemNamesItsField(t *testing.T) {
	t.Parallel()
	contract, err := api.NewContract(Document, everybody())
	if err != nil {
		t.Fatal(err)
	}
	located, nowhere, told := contract.Problems(), map[string]bool{}, toldProblems(t)
	list, _ := document(t).Extensions["x-fault-of-none"].([]any)
	for _, listed := range list {
		key, _ := listed.(string)
		nowhere[key] = true
		if told[key] != http.StatusBadRequest || located[key] != nil {
			t.Errorf("%s is said to be of no field: its status is %d, and it is of %v", key, told[key], located[key])
		}
	}
	for _, theirs := range faultOf.FindAllStringSubmatch(string(partner.Document), -1) {
		nowhere[theirs[1]] = true // of a field of theirs, which their own contract has checked
	}
	for key, status := range told {
		if status == http.StatusBadRequest && located[key] == nil && !nowhere[key] {
			t.Errorf("%s: no parameter and no field of a body has it in x-fault-of, and it is not in x-fault-of-none", key)
		}
	}
	for key := range located {
		if told[key] == 0 {
			t.Errorf("%s is in x-fault-of, and docs/guides/errors.md has no such problem", key)
		}
	}
	for _, key := range faultOf.FindAllStringSubmatch(string(Document), -1) {
		if located[key[1]] == nil {
			t.Errorf("%s is in x-fault-of where no request has a field", key[1])
		}
	}
}

// toldProblems are the problems of the published list, which a test holds to the source,
// with their statuses.
func toldProblems(t *testing.T) map[string]int {
	t.Helper()
	guide, err := os.ReadFile("../../docs/guides/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]int{}
	for _, row := range regexp.MustCompile("(?m)^\\| (\\d{3}) \\| `(problem\\.[a-z_]+)`").FindAllStringSubmatch(string(guide), -1) {
		if strings.HasPrefix(row[2], "problem.staff_") {
			continue // told at the console alone, whose contract has a test of its own
		}
		if told[row[2]], err = strconv.Atoi(row[1]); err != nil {
			t.Fatal(err)
		}
	}
	return told
}

// TestAFaultsPlaceIsInTheAnswer: what a confirmation's pointer points into (x-fault-at) is
// a field of what it answers with.
func TestAFaultsPlaceIsInTheAnswer(t *testing.T) {
	t.Parallel()
	operations(t, func(name string, o *openapi3.Operation) {
		fields, _ := o.Extensions["x-fault-at"].(map[string]any)
		if o.RequestBody != nil && len(fields) > 0 {
			t.Errorf("%s has a body: its fields say x-fault-of", name)
		}
		for at := range fields {
			if o.Responses.Value("200").Value.Content.Get("application/json").Schema.Value.Properties[strings.TrimPrefix(at, "/")] == nil {
				t.Errorf("%s answers with nothing that has %s", name, at)
			}
		}
	})
}
