package staff

import (
	"encoding/base32"
	"fmt"
	"io"
	"strings"
)

// decoy is compared where there is no account, so that it takes as long. It is of a
// password that nobody has.
const decoy = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// passwordGroups of five letters and digits each are what a password of ours has: 100 bits.
const passwordGroups = 4

var legible = base32.NewEncoding("abcdefghjkmnpqrstuvwxyz023456789").WithPadding(base32.NoPadding)

// newPassword draws a password that can be read aloud.
func newPassword(random io.Reader) (string, error) {
	raw := make([]byte, 13)
	if _, err := io.ReadFull(random, raw); err != nil {
		return "", fmt.Errorf("draw a password: %w", err)
	}
	text, groups := legible.EncodeToString(raw), make([]string, passwordGroups)
	for i := range groups {
		groups[i] = text[5*i : 5*i+5]
	}
	return strings.Join(groups, "-"), nil
}
