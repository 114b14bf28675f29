//go:build !cgo

package main

import (
	"errors"

	"github.com/eshik-kg/eshik/platform/seal/hsm"
)

// errNoC is all that this program says where it was built without C.
var errNoC = errors.New("this eshik-hsm was built without C and cannot load the library of a security module; build it with: make hsm (a C compiler is needed)")

// token stands where the one of token.go does.
type token struct{ hsm.Token }

func openToken(access) (*token, error) { return nil, wrong{errNoC} }

func (*token) close()                {}
func (*token) make(string) error     { return errNoC }
func (*token) serves([]string) error { return errNoC }
