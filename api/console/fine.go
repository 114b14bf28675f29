package console

import (
	"bytes"
	"context"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/services/fine"
)

// ListAppeals lists the appeals of fines that nobody decided.
func (s *Server) ListAppeals(ctx context.Context, r ListAppealsRequestObject) (ListAppealsResponseObject, error) {
	out, err := s.perform(ctx, "appeals", r.Body.Reason, nil)
	if err != nil {
		return nil, err
	}
	list, _ := out.Made.([]fine.Waiting) // which the operation makes
	return ListAppeals200JSONResponse{Appeals: api.Each(list, func(a fine.Waiting) WaitingAppeal {
		return WaitingAppeal{Number: a.Number, Ground: a.Ground, State: string(a.State), TakenBy: api.Optional(a.TakenBy), ReceivedAt: a.ReceivedAt}
	})}, nil
}

// ShowAppeal shows what an appeal says.
func (s *Server) ShowAppeal(ctx context.Context, r ShowAppealRequestObject) (ShowAppealResponseObject, error) {
	out, err := s.perform(ctx, "appeal", r.Body.Reason, map[string]string{"number": r.Body.Number})
	if err != nil {
		return nil, err
	}
	a, _ := out.Made.(fine.Case) // which the operation makes
	files := api.Each(a.Files, func(f fine.File) AppealFile {
		return AppealFile{Id: f.ID, Kind: AppealFileKind(f.Kind), Size: int64(f.Size), AddedAt: f.AddedAt}
	})
	return ShowAppeal200JSONResponse{
		Number: a.Number, Plate: a.Plate, Bill: a.Bill, Resolution: api.Optional(a.Resolution), Ground: a.Ground, Text: a.Text, State: string(a.State),
		TakenBy: api.Optional(a.TakenBy), Answer: api.Optional(a.Answer), ReceivedAt: a.ReceivedAt, EndedAt: api.Optional(a.EndedAt),
		Files: &files,
	}, nil
}

// TakeAppeal has the officer be the one who decides an appeal.
func (s *Server) TakeAppeal(ctx context.Context, r TakeAppealRequestObject) (TakeAppealResponseObject, error) {
	out, err := s.act(ctx, "take-appeal", r.Body.Reason, map[string]string{"number": r.Body.Number})
	return TakeAppeal200JSONResponse(out), err
}

// DecideAppeal ends an appeal that the officer took.
func (s *Server) DecideAppeal(ctx context.Context, r DecideAppealRequestObject) (DecideAppealResponseObject, error) {
	out, err := s.act(ctx, "decide-appeal", r.Body.Reason, map[string]string{
		"number": r.Body.Number, "decision": string(r.Body.Decision), "answer": r.Body.Answer,
	})
	return DecideAppeal200JSONResponse(out), err
}

// ShowAppealFile gives a file that the person added to an appeal.
func (s *Server) ShowAppealFile(ctx context.Context, r ShowAppealFileRequestObject) (ShowAppealFileResponseObject, error) {
	out, err := s.perform(ctx, "appeal-file", r.Body.Reason, map[string]string{"number": r.Body.Number, "file": r.Body.File})
	if err != nil {
		return nil, err
	}
	file, _ := out.Made.(fine.Given) // which the operation makes
	return ShowAppealFile200ApplicationoctetStreamResponse{
		Body: bytes.NewReader(file.Content), ContentLength: int64(len(file.Content)),
		Headers: ShowAppealFile200ResponseHeaders{ContentDisposition: api.Attachment(file.Name())},
	}, nil
}
