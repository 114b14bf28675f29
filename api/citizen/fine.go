package citizen

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/google/uuid"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/platform/module"
	"github.com/eshik-kg/eshik/services/fine"
)

func (s *Server) fines() *fine.Service { return module.Of[*fine.Service](s.Modules) }

// ListFines looks a plate up.
func (s *Server) ListFines(ctx context.Context, r ListFinesRequestObject) (ListFinesResponseObject, error) {
	listing, err := s.fines().Lookup(ctx, who(ctx), r.Params.Plate)
	if err != nil {
		return nil, err
	}
	return ListFines200JSONResponse{
		Plate: listing.Plate.Text, Registered: listing.Known, Total: int64(listing.Total), ImpoundRisk: &listing.Heavy,
		Fines: api.Each(listing.Bills, func(b fine.Bill) Bill {
			return Bill{
				Ref: b.Number, Amount: api.Optional(int64(b.Amount)), Due: int64(b.Due), Discount: api.Optional(int64(max(0, b.Amount-b.Due))),
				DiscountPercent: api.Optional(b.Percent()), Currency: CurrencyKGS, Paying: &b.Paying,
			}
		}),
	}, nil
}

// ListViolations tells an owner what the fines are for.
func (s *Server) ListViolations(ctx context.Context, r ListViolationsRequestObject) (ListViolationsResponseObject, error) {
	c := reader(ctx)
	violations, err := s.fines().Details(ctx, c, r.Params.Plate)
	if err != nil {
		return nil, err
	}
	return ListViolations200JSONResponse(api.Each(violations, func(v fine.Violation) Violation {
		return Violation{
			Ref: v.Number, Title: v.Title, Amount: int64(v.Amount), Paid: v.Paid,
			Place: api.Optional(v.Place), At: api.Optional(v.At), Resolution: api.Optional(v.Resolution), Article: api.Optional(v.Article),
			DeliveredAt: api.Optional(v.Delivered), Due: api.Optional(int64(v.Due)), DiscountPercent: api.Optional(v.Percent()),
			DiscountUntil: api.Optional(v.Until), Judgement: api.Optional(v.Judgement),
		}
	})), nil
}

// GetFinePhoto streams the photo of a fine to the car's owner.
func (s *Server) GetFinePhoto(ctx context.Context, r GetFinePhotoRequestObject) (GetFinePhotoResponseObject, error) {
	photo, err := s.fines().Photo(ctx, who(ctx), r.Params.Plate, r.Params.Ref)
	if err != nil {
		return nil, err
	}
	return GetFinePhoto200ImagejpegResponse{Body: bytes.NewReader(photo), ContentLength: int64(len(photo))}, nil
}

// ListCars lists the cars that the person linked.
func (s *Server) ListCars(ctx context.Context, _ ListCarsRequestObject) (ListCarsResponseObject, error) {
	cars, err := s.fines().Cars(ctx, who(ctx))
	if err != nil {
		return nil, err
	}
	list := make(ListCars200JSONResponse, 0, len(cars))
	for _, car := range cars {
		view, err := carView(car)
		if err != nil {
			return nil, err
		}
		list = append(list, view)
	}
	return list, nil
}

// LinkCar has the token's phone told of a car's new fines.
func (s *Server) LinkCar(ctx context.Context, r LinkCarRequestObject) (LinkCarResponseObject, error) {
	car, err := s.fines().Link(ctx, who(ctx), r.Body.Plate)
	if err != nil {
		return nil, err
	}
	view, err := carView(car)
	return LinkCar200JSONResponse(view), err
}

// UnlinkCar ends LinkCar.
func (s *Server) UnlinkCar(ctx context.Context, r UnlinkCarRequestObject) (UnlinkCarResponseObject, error) {
	if err := s.fines().Unlink(ctx, who(ctx), r.Id.String()); err != nil {
		return nil, err
	}
	return UnlinkCar204Response{}, nil
}

func carView(car fine.Car) (Car, error) {
	id, err := uuid.Parse(car.ID)
	if err != nil {
		return Car{}, fmt.Errorf("read a car's id: %w", err)
	}
	return Car{Id: id, Plate: car.Plate, LinkedAt: car.LinkedAt, Here: car.Here}, nil
}

// ListAppeals lists the person's appeals of fines.
func (s *Server) ListAppeals(ctx context.Context, _ ListAppealsRequestObject) (ListAppealsResponseObject, error) {
	list, err := s.fines().Appeals(ctx, who(ctx))
	if err != nil {
		return nil, err
	}
	return ListAppeals200JSONResponse(api.Each(list, appealView)), nil
}

// AppealFine appeals a fine of the person's own car.
func (s *Server) AppealFine(ctx context.Context, r AppealFineRequestObject) (AppealFineResponseObject, error) {
	made, err := s.fines().Appeal(ctx, who(ctx), fine.Appealed{Plate: r.Body.Plate, Bill: r.Body.Ref, Ground: string(r.Body.Ground), Text: r.Body.Text})
	if err != nil {
		return nil, err
	}
	return AppealFine201JSONResponse(appealView(made)), nil
}

// GetAppeal shows an appeal to its person.
func (s *Server) GetAppeal(ctx context.Context, r GetAppealRequestObject) (GetAppealResponseObject, error) {
	found, err := s.fines().AppealOf(ctx, who(ctx), r.Number)
	if err != nil {
		return nil, err
	}
	return GetAppeal200JSONResponse(appealView(found)), nil
}

// WithdrawAppeal ends an appeal that is not decided.
func (s *Server) WithdrawAppeal(ctx context.Context, r WithdrawAppealRequestObject) (WithdrawAppealResponseObject, error) {
	ended, err := s.fines().WithdrawAppeal(ctx, who(ctx), r.Number)
	if err != nil {
		return nil, err
	}
	return WithdrawAppeal200JSONResponse(appealView(ended)), nil
}

func appealView(a fine.Appeal) Appeal {
	return Appeal{
		Number: a.Number, Ref: a.Bill, Plate: a.Plate, Ground: AppealGround(a.Ground), Text: a.Text, State: AppealState(a.State), Answer: api.Optional(a.Answer),
		ReceivedAt: a.ReceivedAt, EndedAt: api.Optional(a.EndedAt), DiscountUntil: api.Optional(a.DiscountUntil),
		Files: filesView(a.Files),
	}
}

// filesView are the files of one appeal; absent in a list of appeals.
func filesView(files []fine.File) *[]AppealFile {
	if files == nil {
		return nil
	}
	list := api.Each(files, fileView)
	return &list
}

// AddAppealFile adds a file to an open appeal.
func (s *Server) AddAppealFile(ctx context.Context, r AddAppealFileRequestObject) (AddAppealFileResponseObject, error) {
	content, err := io.ReadAll(r.Body) // which is read already, and bound
	if err != nil {
		return nil, fmt.Errorf("read a file: %w", err)
	}
	added, err := s.fines().AddFile(ctx, who(ctx), r.Number, content)
	if err != nil {
		return nil, err
	}
	return AddAppealFile201JSONResponse(fileView(added)), nil
}

// GetAppealFile gives a person a file of their appeal.
func (s *Server) GetAppealFile(ctx context.Context, r GetAppealFileRequestObject) (GetAppealFileResponseObject, error) {
	file, content, err := s.fines().FileOf(ctx, who(ctx), r.Number, r.File)
	if err != nil {
		return nil, err
	}
	return GetAppealFile200ApplicationoctetStreamResponse{
		Body: bytes.NewReader(content), ContentLength: int64(len(content)),
		Headers: GetAppealFile200ResponseHeaders{ContentDisposition: api.Attachment(file.Name())},
	}, nil
}

func fileView(f fine.File) AppealFile {
	return AppealFile{Id: f.ID, Kind: AppealFileKind(f.Kind), Size: int64(f.Size), AddedAt: f.AddedAt}
}
