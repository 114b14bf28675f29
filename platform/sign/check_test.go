package sign_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/veraison/go-cose"

	"github.com/eshik-kg/eshik/platform/seal"
	"github.com/eshik-kg/eshik/platform/sign"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// ownID is the id under which a foreign key is put among ours.
const ownID = "00112233445566aa"

// foreign is a key of somebody who has the database and not the master key.
type foreign struct {
	private *ecdsa.PrivateKey
	public  string // COSE_Key, in hex
}

func newForeign(t *testing.T) foreign {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := cose.NewKeyFromPublic(&private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	public, err := key.MarshalCBOR()
	if err != nil {
		t.Fatal(err)
	}
	return foreign{private: private, public: hex.EncodeToString(public)}
}

// signs makes a message that names a key's id.
func (f foreign) signs(t *testing.T, kid string) []byte {
	t.Helper()
	signer, err := cose.NewSigner(cose.AlgorithmES256, f.private)
	if err != nil {
		t.Fatal(err)
	}
	id, err := hex.DecodeString(kid)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := cbor.Marshal(claims())
	if err != nil {
		t.Fatal(err)
	}
	message, err := cose.Sign1(rand.Reader, signer, cose.Headers{Protected: cose.ProtectedHeader{
		cose.HeaderLabelAlgorithm: cose.AlgorithmES256, cose.HeaderLabelKeyID: id,
	}}, payload, nil)
	if err != nil {
		t.Fatal(err)
	}
	return message
}

// counting is a sealer that counts what it opens.
type counting struct {
	*seal.Sealer
	opened int
}

func (c *counting) Open(sealed []byte, context string) ([]byte, error) {
	c.opened++
	return c.Sealer.Open(sealed, context)
}

// keyRow is a row of the table.
type keyRow struct {
	kid            string
	generation, at int64
	public, sealed []byte
	revealed       *int64
}

func rowsOf(t *testing.T, db *store.DB) (all []keyRow) {
	t.Helper()
	rows, err := db.Reader().QueryContext(t.Context(), "SELECT kid, generation, public, sealed, made_at, revealed_at FROM sign_keys ORDER BY generation")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }() // Err below says what went wrong
	for rows.Next() {
		var r keyRow
		if err := rows.Scan(&r.kid, &r.generation, &r.public, &r.sealed, &r.at, &r.revealed); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func exec(t *testing.T, db *store.DB, statement string, args ...any) {
	t.Helper()
	if _, err := db.Writer().ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func restore(t *testing.T, db *store.DB, rows []keyRow) {
	t.Helper()
	exec(t, db, "DELETE FROM sign_keys")
	for _, r := range rows {
		exec(t, db, "INSERT INTO sign_keys (kid, generation, public, sealed, made_at, revealed_at) VALUES ($1, $2, $3, $4, $5, $6)", r.kid, r.generation, r.public, r.sealed, r.at, r.revealed)
	}
}

func check(t *testing.T, db *store.DB) error {
	t.Helper()
	return db.Snapshot(t.Context(), func(tx *sql.Tx) error { return sign.Check(t.Context(), tx, newSealer(t, 7)) })
}

// tampering is what somebody does to the table, and what must come of it.
type tampering struct {
	name, kid string // kid: the row that is found
	do        func()
	lost      bool // the row's own key is gone with it: its messages are refused
}

// tamperings are on two keys, of which the second signs.
func tamperings(t *testing.T, db *store.DB, rows []keyRow, own foreign) []tampering {
	t.Helper()
	public, err := hex.DecodeString(own.public)
	if err != nil {
		t.Fatal(err)
	}
	first, second := rows[0], rows[1]
	set := func(what, kid string, args ...any) func() {
		return func() { exec(t, db, "UPDATE sign_keys SET "+what+" WHERE kid = $1", append([]any{kid}, args...)...) }
	}
	put := func(generation int64, sealed []byte) func() {
		return func() {
			exec(t, db, "INSERT INTO sign_keys (kid, generation, public, sealed, made_at) VALUES ($1, $2, $3, $4, $5)", ownID, generation, public, sealed, 1)
		}
	}
	return []tampering{
		{name: "a row with another's sealed half", kid: ownID, do: put(0, first.sealed)},
		{name: "such a row, the newest", kid: ownID, do: put(3, second.sealed)},
		{name: "a row with nothing sealed", kid: ownID, do: put(3, []byte{})},
		{name: "another id and public half", kid: ownID, do: set("kid = '"+ownID+"', public = $2", first.kid, public), lost: true},
		{name: "a retired key's public half", kid: first.kid, do: set("public = $2", first.kid, public)},
		{name: "the newest key's public half", kid: second.kid, do: set("public = $2", second.kid, public)},
		{name: "another key of ours as public half", kid: first.kid, do: set("public = $2", first.kid, second.public)},
		{name: "no public half", kid: first.kid, do: set("public = $2", first.kid, []byte{})},
		{name: "a public half and more", kid: first.kid, do: set("public = $2", first.kid, append(bytes.Clone(first.public), 0))},
		{name: "another's sealed half", kid: first.kid, do: set("sealed = $2", first.kid, second.sealed), lost: true},
		{name: "another's halves", kid: first.kid, do: set("public = $2, sealed = $3", first.kid, second.public, second.sealed), lost: true},
	}
}

// TestASealedHalfIsTheKey: whoever writes to the table makes no key of ours, takes none
// away by its public half, and is found; a process that starts then and one that runs
// do alike, and all is as it was when the row is.
func TestASealedHalfIsTheKey(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		running := open(t, db)
		first := mustSign(t, running)
		if _, err := running.Rotate(ctx, staff.Act{Actor: "staff:officer"}); err != nil {
			t.Fatal(err)
		}
		second := mustSign(t, running)
		rows, own := rowsOf(t, db), newForeign(t)
		for _, c := range tamperings(t, db, rows, own) {
			if err := check(t, db); err != nil {
				t.Fatalf("before %s: %v", c.name, err)
			}
			c.do()
			if err := check(t, db); err == nil || !strings.Contains(err.Error(), c.kid) || strings.Count(err.Error(), "\n") > 0 {
				t.Errorf("%s: the check says %v", c.name, err)
			}
			var log bytes.Buffer
			fresh, err := sign.Open(ctx, deps(t, db, func(d *sign.Deps) { d.Log = slog.New(slog.NewTextHandler(&log, nil)) }))
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			forged := own.signs(t, c.kid)
			for _, keys := range []*sign.Keys{fresh, running, fresh} {
				if got, err := keys.Verify(ctx, forged); !errors.Is(err, sign.ErrForged) {
					t.Errorf("%s: a foreign key's message says %+v, %v", c.name, got, err)
				}
				for _, message := range [][]byte{second, mustSign(t, keys)} {
					if _, err := keys.Verify(ctx, message); err != nil {
						t.Errorf("%s: a message of ours: %v", c.name, err)
					}
				}
				if _, err := keys.Verify(ctx, first); (err != nil) != (c.lost && keys == fresh) || err != nil && !errors.Is(err, sign.ErrForged) {
					t.Errorf("%s: a retired key's message: %v", c.name, err)
				}
				published, err := keys.Public(ctx)
				if err != nil || slices.ContainsFunc(published, func(k sign.PublicKey) bool { return hex.EncodeToString(k.COSE) == own.public }) {
					t.Errorf("%s: a foreign key is published: %+v, %v", c.name, published, err)
				}
			}
			if told := log.String(); strings.Count(told, "level=ERROR") != 1 || !strings.Contains(told, "kid="+c.kid) {
				t.Errorf("%s: the log is told %q", c.name, told)
			}
			restore(t, db, rows)
			if _, err := fresh.Verify(ctx, first); err != nil {
				t.Errorf("after %s: %v", c.name, err)
			}
		}
	})
}

// TestRotationPastARow: a row that is no key keeps no new key from being made.
func TestRotationPastARow(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		keys := open(t, db)
		before := rowsOf(t, db)[0]
		exec(t, db, "INSERT INTO sign_keys (kid, generation, public, sealed, made_at) SELECT '"+ownID+"', 2, public, sealed, made_at FROM sign_keys")
		kid, err := keys.Rotate(t.Context(), staff.Act{Actor: "staff:officer"})
		if err != nil || kid == before.kid || kid == ownID {
			t.Fatalf("the new key is %s, %v", kid, err)
		}
		var read cose.Sign1Message
		if err := read.UnmarshalCBOR(mustSign(t, open(t, db))); err != nil {
			t.Fatal(err)
		}
		if id, _ := read.Headers.Protected[cose.HeaderLabelKeyID].([]byte); hex.EncodeToString(id) != kid {
			t.Errorf("%x signs, not %s", id, kid)
		}
	})
}

// TestNoKeyLeft: where no row is a key, the start fails and names them all; no new key
// is made beside them.
func TestNoKeyLeft(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		if _, err := open(t, db).Rotate(t.Context(), staff.Act{Actor: "staff:officer"}); err != nil {
			t.Fatal(err)
		}
		rows := rowsOf(t, db)
		exec(t, db, "UPDATE sign_keys SET sealed = public")
		_, err := sign.Open(t.Context(), deps(t, db))
		if err == nil || !strings.Contains(err.Error(), rows[0].kid) || !strings.Contains(err.Error(), rows[1].kid) {
			t.Errorf("the start says %v", err)
		}
		if n := len(rowsOf(t, db)); n != 2 {
			t.Errorf("%d keys", n)
		}
	})
}

// TestAKeyIsOpenedOnce: neither verifying nor signing opens a sealed half again, nor
// does a row that is none.
func TestAKeyIsOpenedOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		first := mustSign(t, open(t, db))
		if _, err := open(t, db).Rotate(t.Context(), staff.Act{Actor: "staff:officer"}); err != nil {
			t.Fatal(err)
		}
		exec(t, db, "INSERT INTO sign_keys (kid, generation, public, sealed, made_at) SELECT '"+ownID+"', 9, public, sealed, made_at FROM sign_keys WHERE generation = 1")
		sealer := &counting{Sealer: newSealer(t, 7)}
		keys, err := sign.Open(t.Context(), deps(t, db, func(d *sign.Deps) { d.Sealer = sealer }))
		if err != nil {
			t.Fatal(err)
		}
		forged := newForeign(t).signs(t, ownID)
		for range 5 {
			for _, message := range [][]byte{first, mustSign(t, keys)} {
				if _, err := keys.Verify(t.Context(), message); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := keys.Verify(t.Context(), forged); !errors.Is(err, sign.ErrForged) {
				t.Fatal(err)
			}
		}
		if sealer.opened != 3 {
			t.Errorf("opened %d times, not once for each of 3 rows", sealer.opened)
		}
	})
}

// A key, and a message that it signed, as they were stored before a sealed half was
// compared with its row. They fail here if the encoding of a key ever changes.
const (
	beforeID     = "888d7a4bd743cebe"
	beforePublic = "a601020248888d7a4bd743cebe03262001215820d3619e37f27df52e6ca296cbb1731c3d900329d9120dfd44cbb377e623a408e8225820c1ce18aa3e" +
		"4a91a9dcd499f5bdf4fee9b666477ab309d5692facec8b5501f4f3"
	beforeSealed = "013f246ad7074d02b28c35621688d4cbae34073024c10a053e5509d32005b79f871161ca09df01c68d22a835803858bfdcf5afa62e4db42317f28879" +
		"3ad1f25dadcfd10895bcf29bbe875fd40e31f3bb3d89d480aab8cef6724798d58e06d0c460d187a40be0d3c1408933ee4793d9f3b64dce838e129400" +
		"0f86e084b6e97d93ad869939182d32623501e64fe0b60f69ccb5b823373d77d8075ae51b487de766dbeb12fd453d4798aca4f67ea3ffcc320c32e9"
	beforeSigned = "d2844da201260448888d7a4bd743cebea0582da401674b472d54455354061a6553f100074b4b374d4e345051523258483a000100006ad090d0b9d0b3" +
		"d2afd0bb5840224329829af8617fc700b7c2e9bcbd25bde8bf8d537b3a49c6c087a86cc2ff06a21c4eacc0e46f68917996c38a04a8f0c48125b60454" +
		"e7182230301b80a6c585"
)

// TestAKeyOfBefore goes on signing and verifying, retired too, and is no fault.
func TestAKeyOfBefore(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		bytesOf := func(text string) []byte {
			raw, err := hex.DecodeString(text)
			if err != nil {
				t.Fatal(err)
			}
			return raw
		}
		restore(t, db, []keyRow{{kid: beforeID, generation: 1, at: 1, public: bytesOf(beforePublic), sealed: bytesOf(beforeSealed)}})
		keys := open(t, db)
		mine := mustSign(t, keys)
		if n := len(rowsOf(t, db)); n != 1 {
			t.Errorf("%d keys: another was made", n)
		}
		if _, err := keys.Rotate(t.Context(), staff.Act{Actor: "staff:officer"}); err != nil {
			t.Fatal(err)
		}
		for _, message := range [][]byte{mine, bytesOf(beforeSigned)} {
			if _, err := open(t, db).Verify(t.Context(), message); err != nil {
				t.Error(err)
			}
		}
		if err := check(t, db); err != nil {
			t.Error(err)
		}
	})
}
