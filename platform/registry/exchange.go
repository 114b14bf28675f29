package registry

import (
	"context"
	"errors"
	"io"
	"net/http"
)

// longestBody bounds an answer that its operation does not bound: a full list of
// violations without photos is far smaller.
const longestBody = 4 << 20

// answer is one HTTP answer, read whole.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// exchange sends req within the client's time limit and reads the answer, longest bytes
// of it at most.
func exchange(ctx context.Context, cfg Config, service string, req *http.Request, longest int64) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, cfg.Timeout)
	defer cancel()
	resp, err := cfg.HTTP.Do(req.WithContext(ctx))
	if err != nil {
		return answer{}, networkError(service, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, longest+1))
	if err != nil {
		return answer{}, cutError(service, resp.StatusCode, err)
	}
	if int64(len(body)) > longest {
		return answer{}, &Error{
			Service: service, Side: SideRegistry, Type: TypeTooBig, Status: resp.StatusCode, MayHaveActed: true,
		}
	}
	return answer{status: resp.StatusCode, header: resp.Header, body: body}, nil
}

// cutError is an answer that began and did not end.
func cutError(service string, status int, err error) *Error {
	e := networkError(service, err)
	e.Status = status
	if !errors.Is(err, context.DeadlineExceeded) {
		e.Type = TypeCut
	}
	return e
}
