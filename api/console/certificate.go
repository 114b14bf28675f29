package console

import "context"

// RevokeCertificate proposes to revoke a certificate.
func (s *Server) RevokeCertificate(ctx context.Context, r RevokeCertificateRequestObject) (RevokeCertificateResponseObject, error) {
	out, err := s.act(ctx, "revoke-certificate", r.Body.Reason, map[string]string{"number": r.Body.Number})
	return RevokeCertificate200JSONResponse(out), err
}
