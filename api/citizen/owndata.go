package citizen

import (
	"bytes"
	"context"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/module"
	"github.com/eshik-kg/eshik/platform/personal"
	"github.com/eshik-kg/eshik/services/owndata"
)

func (s *Server) ownData() *owndata.Service { return module.Of[*owndata.Service](s.Modules) }

// FindUsage tells who looked at the person's data.
func (s *Server) FindUsage(ctx context.Context, r FindUsageRequestObject) (FindUsageResponseObject, error) {
	c, rows := reader(ctx), 50
	if r.Params.Limit != nil {
		rows = *r.Params.Limit
	}
	list, total, err := s.ownData().Usages(ctx, c, given(r.Params.Offset), rows)
	if err != nil {
		return nil, err
	}
	return FindUsage200JSONResponse{TotalUsages: total, Usages: api.Each(list, func(u owndata.Usage) Usage {
		return Usage{
			Logtime: u.LogTime.UTC(), Action: u.Action, ActionCode: u.Code, ReceiverCode: Receiver(u.Receiver),
			ReceiverName: s.Texts.Text(c.Locale, u.Receiver.NameKey()), ReceiverSystem: u.System,
		}
	})}, nil
}

// ExportOwnData gives everything that is kept about the person.
func (s *Server) ExportOwnData(ctx context.Context, _ ExportOwnDataRequestObject) (ExportOwnDataResponseObject, error) {
	c := reader(ctx)
	export, err := s.ownData().Export(ctx, c)
	if err != nil {
		return nil, err
	}
	return ExportOwnData200JSONResponse{MadeAt: export.MadeAt.UTC(), Sections: api.Each(export.Sections, func(section owndata.Section) OwnDataSection {
		return OwnDataSection{Part: section.Part, Records: api.Each(section.Records, func(r personal.Record) OwnDataRecord { return s.ownRecord(c.Locale, r) })}
	})}, nil
}

func (s *Server) ownRecord(loc locales.Locale, r personal.Record) OwnDataRecord {
	view := OwnDataRecord{Kind: r.Kind, Title: s.ownData().Title(loc, r), Fields: []OwnDataField{}}
	for _, f := range r.Fields {
		if f.Empty() {
			continue
		}
		value := f.Value
		if !f.At.IsZero() {
			value = f.At.UTC().Format(time.RFC3339Nano)
		}
		view.Fields = append(view.Fields, OwnDataField{Name: f.Name, Label: s.ownData().Label(loc, f), Value: value, Text: s.ownData().Say(loc, f)})
	}
	return view
}

// DownloadOwnData gives the same as a PDF.
func (s *Server) DownloadOwnData(ctx context.Context, _ DownloadOwnDataRequestObject) (DownloadOwnDataResponseObject, error) {
	pdf, err := s.ownData().PDF(ctx, reader(ctx))
	if err != nil {
		return nil, err
	}
	return DownloadOwnData200ApplicationpdfResponse{
		Body: bytes.NewReader(pdf), ContentLength: int64(len(pdf)),
		Headers: DownloadOwnData200ResponseHeaders{ContentDisposition: api.Attachment("eshik-own-data.pdf")},
	}, nil
}

// GetErasure tells whether the person's data is to be erased.
func (s *Server) GetErasure(ctx context.Context, _ GetErasureRequestObject) (GetErasureResponseObject, error) {
	e, err := s.ownData().Erasure(ctx, reader(ctx))
	if err != nil {
		return nil, err
	}
	return GetErasure200JSONResponse(s.erasureView(ctx, e)), nil
}

// AskErasure has the person's data erased.
func (s *Server) AskErasure(ctx context.Context, _ AskErasureRequestObject) (AskErasureResponseObject, error) {
	e, err := s.ownData().AskErasure(ctx, who(ctx))
	if err != nil {
		return nil, err
	}
	return AskErasure200JSONResponse(s.erasureView(ctx, e)), nil
}

// WithdrawErasure has nothing erased.
func (s *Server) WithdrawErasure(ctx context.Context, _ WithdrawErasureRequestObject) (WithdrawErasureResponseObject, error) {
	if err := s.ownData().WithdrawErasure(ctx, who(ctx)); err != nil {
		return nil, err
	}
	return WithdrawErasure204Response{}, nil
}

func (s *Server) erasureView(ctx context.Context, e owndata.Erasure) Erasure {
	loc := api.LocaleFrom(ctx)
	return Erasure{AskedAt: api.Optional(e.AskedAt), DueAt: api.Optional(e.DueAt), Keeps: api.Each(e.Keeps, func(k personal.Kept) KeptData {
		return KeptData{What: strings.TrimPrefix(k.Key, "kept."), Text: s.ownData().Why(loc, k), Until: api.Optional(k.Until)}
	})}
}
