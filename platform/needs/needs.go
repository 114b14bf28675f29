// Package needs refuses to make something without what it stands on: a part that is nil
// would be found by the first citizen who needs it, long after the start.
package needs

import (
	"fmt"
	"reflect"
	"slices"
)

// All names the first field of deps, a struct whose fields are exported, that is nil or
// otherwise zero; what is what is being made ("payments"). Fields in optional may be.
func All(what string, deps any, optional ...string) error {
	for field, value := range reflect.ValueOf(deps).Fields() {
		if missing(value) && !slices.Contains(optional, field.Name) {
			return fmt.Errorf("%s: there is no %s", what, field.Name)
		}
	}
	return nil
}

// missing also finds a nil pointer in an interface, which is not nil itself.
func missing(value reflect.Value) bool {
	if value.Kind() == reflect.Interface && !value.IsNil() {
		inside := value.Elem()
		return inside.Kind() == reflect.Pointer && inside.IsNil()
	}
	return value.IsZero()
}
