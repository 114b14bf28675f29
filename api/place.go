package api

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/eshik-kg/eshik/platform/problem"
)

// The extensions by which a contract says where in a request the cause of a problem is.
const (
	// faultOf stands at a parameter, or at a field of a body, and gives each problem that
	// it causes the fault's code: x-fault-of: {problem.fine_plate: format}.
	faultOf = "x-fault-of"
	// faultAt stands at an operation without a body, and gives such problems for each
	// field of the thing that it is about: x-fault-at: {/lines: {problem.…: choice}}.
	faultAt = "x-fault-at"
)

// places are where the causes of problems are in the requests of an operation: by the
// operation's id and the problem's key.
type places map[string]map[string]Fault

// placesOf reads what a contract says about the causes of problems.
func placesOf(doc *openapi3.T) (places, error) {
	all := places{}
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			found := map[string]Fault{}
			err := placesIn(found, operation, slices.Concat(item.Parameters, operation.Parameters))
			if err != nil {
				return nil, fmt.Errorf("%s %s: %w", method, path, err)
			}
			all[operation.OperationID] = found
		}
	}
	return all, nil
}

// placesIn adds those of one operation.
func placesIn(found map[string]Fault, operation *openapi3.Operation, parameters openapi3.Parameters) error {
	for _, p := range parameters {
		if err := add(found, Fault{In: p.Value.In, Name: p.Value.Name}, p.Value.Extensions[faultOf]); err != nil {
			return err
		}
	}
	for name, field := range fieldsOf(operation.RequestBody) {
		if err := add(found, Fault{In: "body", Pointer: pointer([]string{name})}, field.Value.Extensions[faultOf]); err != nil {
			return err
		}
	}
	fields, _ := operation.Extensions[faultAt].(map[string]any)
	for at, causes := range fields {
		if err := add(found, Fault{In: "body", Pointer: at}, causes); err != nil {
			return err
		}
	}
	return nil
}

// fieldsOf are the fields of an operation's body; none where it takes none.
func fieldsOf(body *openapi3.RequestBodyRef) openapi3.Schemas {
	if body == nil {
		return nil
	}
	media := body.Value.Content.Get("application/json")
	if media == nil {
		return nil
	}
	return media.Schema.Value.Properties
}

// add adds the problems that one field causes, as its extension lists them.
func add(found map[string]Fault, at Fault, causes any) error {
	listed, _ := causes.(map[string]any)
	if causes != nil && len(listed) == 0 {
		return fmt.Errorf("what the field %s%s causes is no list of problems with codes", at.Name, at.Pointer)
	}
	for key, code := range listed {
		name, _ := code.(string)
		if at.Code = FaultCode(name); !slices.Contains(FaultCodes, at.Code) {
			return fmt.Errorf("%s has the fault %v, which is none of %v", key, code, FaultCodes)
		}
		if other, twice := found[key]; twice {
			return fmt.Errorf("%s comes from %s%s and from %s%s", key, other.Name, other.Pointer, at.Name, at.Pointer)
		}
		found[key] = at
	}
	return nil
}

// Problems are those that the contract says the cause of, and each field's place in
// the request as the errors of an answer name it: "query plate", "body /refs".
func (k *Contract) Problems() map[string][]string {
	all := map[string][]string{}
	for _, found := range k.places {
		for key, at := range found {
			if place := at.In + " " + at.Name + at.Pointer; !slices.Contains(all[key], place) {
				all[key] = append(all[key], place)
			}
		}
	}
	return all
}

// locate says where in the request of an operation the cause of err is, where the
// contract tells: the field, or those items of its list that the problem is about.
func (k *Contract) locate(operation *openapi3.Operation, err error) error {
	if err == nil {
		return nil
	}
	p := problem.From(err)
	place, known := k.places[operation.OperationID][p.Key]
	if !known {
		return err
	}
	faults := []Fault{place}
	for i, item := range p.Items {
		of := place
		of.Pointer += "/" + strconv.Itoa(item)
		faults = append(faults[:i], of)
	}
	return At(err, faults...)
}
