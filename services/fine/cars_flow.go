package fine

import (
	"context"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/identity"
)

// The nodes of a person's own cars.
const (
	nodeCars     = "fine.cars"
	nodeCarAdd   = "fine.car_add"
	nodeCarSure  = "fine.car_sure"
	nodeCarLink  = "fine.do_car_link"
	nodeCarDone  = "fine.car_done"
	nodeCar      = "fine.car"
	nodeCarEnd   = "fine.do_car_end"
	nodeCarEnded = "fine.car_ended"
)

// memoryCar is which car a screen is about, by its id.
const memoryCar = "fine.car"

// ownCars leads to the cars: whose they are is proved first, strongly, as a phone is told of
// them from then on.
var ownCars = dialog.Call(identity.NodeStrong, nodeCars)

func (s *Service) carNodes() []dialog.Node {
	return []dialog.Node{
		{ID: nodeCars, Show: s.showCars, Resume: ownCars},
		{ID: nodeCarAdd, Plain: showCarAdd, Answer: answerCarAdd, Resume: ownCars},
		{ID: nodeCarSure, Plain: showCarSure, Resume: ownCars},
		{ID: nodeCarLink, Do: s.doCarLink},
		{ID: nodeCarDone, Plain: showCarDone},
		{ID: nodeCar, Show: s.showCar, Resume: ownCars},
		{ID: nodeCarEnd, Do: s.doCarEnd},
		{ID: nodeCarEnded, Plain: func(t *dialog.Turn) dialog.Screen { return say("fine.car_ended", "plate", t.Get(memoryPlate)) }},
	}
}

// proven is the caller as whom the phone is proved for.
func (s *Service) proven(ctx context.Context, c caller.Caller) (caller.Caller, identity.Citizen, error) {
	citizen, err := s.owner(ctx, c)
	if err != nil {
		return c, citizen, err
	}
	c = citizen.As(c)
	return c, citizen, nil
}

// showCars lists the cars that are linked.
func (s *Service) showCars(ctx context.Context, t *dialog.Turn) (dialog.Screen, error) {
	c, citizen, err := s.proven(ctx, t.Caller)
	if err != nil {
		return dialog.Screen{}, err
	}
	cars, err := s.Cars(ctx, c)
	if err != nil {
		return dialog.Screen{}, err
	}
	screen := say("fine.cars", "n", len(cars))
	if len(cars) == 0 {
		screen = say("fine.cars_none")
	}
	for _, car := range cars {
		screen.Options = append(screen.Options, option(dialog.Say("fine.car_plate", "plate", car.Plate), dialog.Go(nodeCar, memoryCar, car.ID, memoryPlate, car.Plate)))
	}
	if len(cars) < MaxCars {
		screen.Options = append(screen.Options, option(dialog.Say("fine.car_new"), dialog.Go(nodeCarAdd)))
	}
	screen.Options = append(screen.Options, option(dialog.Say("fine.appeals_option"), dialog.Go(nodeAppeals)))
	return identity.Named(screen, citizen, nodeCars), nil
}

func showCarAdd(*dialog.Turn) dialog.Screen {
	return dialog.Screen{Body: []dialog.Message{dialog.Say("fine.ask_plate")}, Ask: dialog.AskNumber}
}

func answerCarAdd(_ context.Context, _ *dialog.Turn, input string) (dialog.Next, error) {
	plate, err := ParsePlate(input)
	if err != nil {
		return dialog.Next{}, err
	}
	return dialog.Go(nodeCarSure, memoryPlate, plate.Text), nil
}

// showCarSure asks whether the plate was typed right: the register is asked about it in the
// person's name.
func showCarSure(t *dialog.Turn) dialog.Screen {
	screen := say("fine.car_sure", "plate", t.Get(memoryPlate))
	screen.Options = []dialog.Option{option(dialog.Say("fine.do_car_link"), dialog.Go(nodeCarLink))}
	return screen
}

// doCarLink links the car that was typed.
func (s *Service) doCarLink(ctx context.Context, t *dialog.Turn) (dialog.Next, error) {
	c, ok, err := identity.Acting(ctx, s.Identity, t, nodeCars)
	if err != nil || !ok { // it ran out while the plate was typed
		return ownCars, err
	}
	car, err := s.Link(ctx, c, t.Get(memoryPlate))
	if err != nil {
		return dialog.Next{}, dialog.BackTo(nodeCarAdd, err)
	}
	return dialog.Done(nodeCarDone, memoryPlate, car.Plate), nil
}

func showCarDone(t *dialog.Turn) dialog.Screen {
	screen := say("fine.car_done", "plate", t.Get(memoryPlate))
	screen.Options = []dialog.Option{option(dialog.Say("fine.car_fines"), dialog.Go(nodeList))}
	return screen
}

// showCar offers what can be done with a car.
func (s *Service) showCar(ctx context.Context, t *dialog.Turn) (dialog.Screen, error) {
	c, citizen, err := s.proven(ctx, t.Caller)
	if err != nil {
		return dialog.Screen{}, err
	}
	if err := identity.Same(t, citizen.ID); err != nil {
		return dialog.Screen{}, err
	}
	cars, err := s.Cars(ctx, c)
	if err != nil {
		return dialog.Screen{}, err
	}
	for _, car := range cars {
		if car.ID != t.Get(memoryCar) {
			continue
		}
		key := "fine.car_elsewhere"
		if car.Here {
			key = "fine.car_here"
		}
		screen := say(key, "plate", car.Plate)
		screen.Options = []dialog.Option{option(dialog.Say("fine.car_fines"), dialog.Go(nodeList, memoryPlate, car.Plate))}
		if !car.Here {
			screen.Options = append(screen.Options, option(dialog.Say("fine.car_tell_here"), dialog.Go(nodeCarLink, memoryPlate, car.Plate)))
		}
		screen.Options = append(screen.Options, option(dialog.Say("fine.do_car_end"), dialog.Go(nodeCarEnd)))
		return identity.About(screen, citizen.ID), nil
	}
	return dialog.Screen{}, errNoCar
}

// doCarEnd unlinks the car that was shown.
func (s *Service) doCarEnd(ctx context.Context, t *dialog.Turn) (dialog.Next, error) {
	c, ok, err := identity.Acting(ctx, s.Identity, t, nodeCars)
	if err != nil || !ok {
		return ownCars, err
	}
	if err := s.Unlink(ctx, c, t.Get(memoryCar)); err != nil {
		return dialog.Next{}, dialog.BackTo(nodeCars, err)
	}
	return dialog.Done(nodeCarEnded, memoryPlate, t.Get(memoryPlate)), nil
}
