package e2e

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
)

// The published contracts, each read once.
var contract, partnerContract, consoleContract = contractOf("citizen"), contractOf("partner"), contractOf("console")

// contractOf routes by an audience's contract.
func contractOf(audience string) func() (routers.Router, error) {
	return sync.OnceValues(func() (routers.Router, error) { return readContract("../api/" + audience + "/openapi.yaml") })
}

func readContract(file string) (routers.Router, error) {
	document, err := os.ReadFile(file) // #nosec G304 -- our own files
	if err != nil {
		return nil, err
	}
	doc, err := openapi3.NewLoader().LoadFromData(document)
	if err != nil {
		return nil, err
	}
	doc.Servers = nil
	return legacy.NewRouter(doc)
}

// unnamed are statuses of HTTP's own and of faults of ours, which the contract
// has under default.
func unnamed(status int) bool {
	return status >= 500 || status == http.StatusRequestEntityTooLarge || status == http.StatusRequestTimeout
}

// hold compares an answer with the contract: its status is one that the operation
// names, its headers and its body are what is promised for that status.
func hold(t *testing.T, request *http.Request, response *http.Response, body []byte) {
	t.Helper()
	read := contract
	switch {
	case strings.HasPrefix(request.URL.Path, "/partner/v1/"):
		read = partnerContract
	case strings.HasPrefix(request.URL.Path, "/console/v1/"):
		read = consoleContract
	}
	router, err := read()
	if err != nil {
		t.Fatal(err)
	}
	asked := request.Clone(context.Background())
	asked.URL.Path, asked.URL.RawPath = request.URL.EscapedPath(), ""
	route, parameters, err := router.FindRoute(asked)
	if err != nil {
		return // no operation of the contract
	}
	if route.Operation.Responses.Value(strconv.Itoa(response.StatusCode)) == nil && !unnamed(response.StatusCode) {
		t.Errorf("%s %s answers %d, which the contract does not name", request.Method, route.Path, response.StatusCode)
	}
	err = openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: asked, PathParams: parameters, Route: route},
		Status:                 response.StatusCode, Header: response.Header, Body: io.NopCloser(bytes.NewReader(body)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	})
	if err != nil {
		t.Errorf("%s %s answers %d against the contract: %v\n%s", request.Method, route.Path, response.StatusCode, err, body)
	}
}
