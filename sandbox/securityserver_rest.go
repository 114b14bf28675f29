package sandbox

import (
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"
)

// restCall is a request that reached a registry through the security server.
type restCall struct {
	method string
	path   []string // after the service
	query  url.Values
	body   []byte
}

// restService is a service of a simulated registry: it answers a status and a
// JSON value; nil: no body.
type restService struct {
	system string
	answer func(restCall) (status int, body any)
}

func (w *World) restServices() map[string]restService {
	return map[string]restService{
		"central-server/GOV/70000050/sanaripaymak-service/address-fact":       {SystemAimak, w.addressFact},
		"central-server/GOV/70000050/sanaripaymak-service/family-members":     {SystemAimak, w.familyMembers},
		"central-server/GOV/70000060/balabakcha-service/kindergartens":        {SystemKindergarten, w.kindergartens},
		"central-server/GOV/70000005/criminal-record-service/requests":        {SystemCivil, w.criminalRecord},
		"central-server/GOV/70000005/zags-service/marriage-certificate-again": {SystemCivil, w.marriageCertificate},
		SIMService: {SystemSIM, w.simHolder},
		"central-server/GOV/70000018/sfrkr-service/GetPensionInfoWithSum":    {SystemFund, w.pensionInfo},
		"central-server/GOV/70000018/sfrkr-service/GetWorkPeriodInfoWithSum": {SystemFund, w.workPeriods},
		TaxService:    {SystemTax, w.taxDebts},
		LandService:   {SystemLand, w.estatesByPin},
		SchoolService: {SystemSchools, w.enrolments},
	}
}

// serviceParts is how many parts of a path name a service.
const serviceParts = 5

func (w *World) serveREST(rw http.ResponseWriter, r *http.Request) {
	parts, err := restPath(r.URL)
	if err != nil || len(parts) < serviceParts {
		write(rw, restError(http.StatusBadRequest, "Client.InvalidPath", "the path must name a service"))
		return
	}
	if strings.Count(r.Header.Get("X-Road-Client"), "/") != 3 {
		write(rw, restError(http.StatusBadRequest, "Client.MissingHeader", "X-Road-Client is mandatory"))
		return
	}
	id := strings.Join(parts[:serviceParts], "/")
	service, ok := w.restServices()[id]
	if !ok {
		write(rw, restError(http.StatusInternalServerError, "Server.ServerProxy.UnknownService", "Unknown service: "+id))
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, longestRequest))
	if err != nil {
		write(rw, restError(http.StatusBadRequest, "Client.InvalidRequest", "the body cannot be read"))
		return
	}
	call := restCall{method: r.Method, path: parts[serviceParts:], query: r.URL.Query(), body: body}
	w.underFaults(rw, r, service.system,
		func() reply { return restReply(r, id, call, service) },
		func() reply {
			return restError(http.StatusInternalServerError, "Server.ServerProxy.NetworkError", "the registry is out of reach")
		},
		func(reply) []byte { return []byte(`{"unexpected":["shape"]}`) })
}

// restPath splits the path after /r1, each part percent-decoded on its own.
func restPath(u *url.URL) ([]string, error) {
	parts := strings.Split(strings.TrimPrefix(u.EscapedPath(), "/r1/"), "/")
	for i, part := range parts {
		plain, err := url.PathUnescape(part)
		if err != nil {
			return nil, err
		}
		parts[i] = plain
	}
	return parts, nil
}

// restReply lets the registry answer and adds the headers that X-Road adds.
func restReply(r *http.Request, id string, call restCall, service restService) reply {
	status, value := service.answer(call)
	messageID := r.Header.Get("X-Road-Id")
	if messageID == "" {
		messageID = uuid.NewString()
	}
	got := reply{status: status, header: map[string]string{
		"X-Road-Client":       r.Header.Get("X-Road-Client"),
		"X-Road-Service":      id,
		"X-Road-Id":           messageID,
		"X-Road-Request-Id":   uuid.NewString(),
		"X-Road-Request-Hash": requestHash(r, call.body),
	}}
	if value != nil {
		got.header["Content-Type"] = "application/json; charset=utf-8"
		// The values are structs and maps of this package: they marshal.
		got.body, _ = json.Marshal(value)
	}
	return got
}

// requestHash is base64(SHA-512(SHA-512(head) || SHA-512(body))), the head being
// the request line with the X-Road headers.
func requestHash(r *http.Request, body []byte) string {
	head := r.Method + " " + r.URL.RequestURI() + "\r\n"
	for _, name := range []string{"X-Road-Client", "X-Road-Id", "X-Road-UserId", "X-Road-Issue"} {
		head += strings.ToLower(name) + ":" + r.Header.Get(name) + "\r\n"
	}
	ofHead, ofBody := sha512.Sum512([]byte(head)), sha512.Sum512(body)
	whole := sha512.Sum512(append(ofHead[:], ofBody[:]...))
	return base64.StdEncoding.EncodeToString(whole[:])
}

// restError is X-Road's own error.
func restError(status int, kind, message string) reply {
	// A map of strings marshals.
	body, _ := json.Marshal(map[string]string{"type": kind, "message": message, "detail": uuid.NewString()})
	return reply{status: status, body: body, header: map[string]string{
		"Content-Type": "application/json; charset=utf-8", "X-Road-Error": kind,
	}}
}
