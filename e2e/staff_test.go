package e2e

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
)

// officer is an account of staff and what it signs in with.
type officer struct {
	Name, Password string
	Secret         string `json:"totp_secret"`
}

// sits has an account of the sandbox signed in: it signs in once, as a code is good once, and
// its session is put back later.
func (d *door) sits(name string) {
	d.t.Helper()
	if kept, ok := d.officers[name]; ok {
		if err := os.WriteFile(d.desk, []byte(kept), 0o600); err != nil {
			d.t.Fatal(err)
		}
		return
	}
	d.signInOfficer(d.account(name))
}

// signInOfficer signs an account in by the command line, and keeps its session.
func (d *door) signInOfficer(o officer) {
	d.t.Helper()
	if d.officers == nil {
		d.officers = map[string]string{}
	}
	code, err := totp.GenerateCode(o.Secret, time.Now())
	if err != nil {
		d.t.Fatal(err)
	}
	_ = os.Remove(d.desk) // who sat here goes on when their session is put back
	out, err := d.runWith(o.Password+"\n"+code+"\n", "staff", "sign-in", o.Name)
	if err != nil || !strings.Contains(out, "Signed in as "+o.Name+" (") {
		d.t.Fatalf("sign in: %v\n%s", err, out)
	}
	files, err := filepath.Glob(filepath.Join(d.data, "staff.session*"))
	if err != nil || len(files) != 1 {
		d.t.Fatalf("a terminal has the sessions %v, %v", files, err)
	}
	d.desk = files[0]
	session, err := os.ReadFile(d.desk)
	if err != nil {
		d.t.Fatal(err)
	}
	d.officers[o.Name] = string(session)
}

// as runs a command in the name of an account, for a reason.
func (d *door) as(name, says string, args ...string) (string, error) {
	d.t.Helper()
	d.sits(name)
	if !slices.Contains(args, "--reason") {
		args = append(slices.Clone(args), "--reason", "case 14-2/77")
	}
	return d.runWith(says, args...)
}

// staff has the operator do something.
func (d *door) staff(args ...string) string {
	d.t.Helper()
	out, err := d.as("operator", "", append([]string{"staff"}, args...)...)
	if err != nil {
		d.t.Fatalf("staff %v: %v\n%s", args, err, out)
	}
	return out
}

var proposal = regexp.MustCompile(`eshik staff approve (\w+)`)

// both has an account propose something, and the inspector approve it. It gives what came
// of it.
func (d *door) both(name, says string, args ...string) string {
	d.t.Helper()
	out, err := d.as(name, says, args...)
	found := proposal.FindStringSubmatch(out)
	if err != nil || found == nil {
		d.t.Fatalf("%v by %s: %v\n%s", args, name, err, out)
	}
	out, err = d.as("inspector", "", "staff", "approve", found[1])
	if err != nil {
		d.t.Fatalf("approve %v: %v\n%s", args, err, out)
	}
	return out
}

// offers has a place offered in the sandbox, where other children are before the fixed ones.
func (d *door) offers(args ...string) string {
	d.t.Helper()
	return d.both("operator", "", append([]string{"staff", "offer", "--out-of-turn"}, args...)...)
}

// changesOwn has the holder of an account that is signed in change password and codes.
func (d *door) changesOwn(o officer, password string) {
	d.t.Helper()
	if out, err := d.runWith(o.Password+"\nasel\nasel\n", "staff", "password"); err == nil || !strings.Contains(out, "12 characters at least") {
		d.t.Errorf("a short password: %v\n%s", err, out)
	}
	if out, err := d.runWith(o.Password+"\n"+password+"\n"+password+"\n", "staff", "password"); err != nil || !strings.Contains(out, "Changed.") {
		d.t.Fatalf("change the password: %v\n%s", err, out)
	}
	command := d.command("staff", "codes")
	in, err := command.StdinPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		d.t.Fatal(err)
	}
	_, _ = io.WriteString(in, password+"\n")
	said := ""
	for lines := bufio.NewScanner(out); !strings.Contains(said, "Changed.") && lines.Scan(); {
		said += lines.Text() + "\n"
		if secret := regexp.MustCompile(`codes +(\S+)\n`).FindStringSubmatch(said); secret != nil && strings.HasSuffix(said, "scan the address.\n") {
			code, err := totp.GenerateCode(secret[1], time.Now())
			if err != nil {
				d.t.Fatal(err)
			}
			_, _ = io.WriteString(in, code+"\n")
		}
	}
	if err := command.Wait(); err != nil || !strings.Contains(said, "Changed.") {
		d.t.Fatalf("change the codes: %v\n%s", err, said)
	}
	session, err := os.ReadFile(d.desk)
	if err != nil {
		d.t.Fatal(err)
	}
	d.officers[o.Name] = string(session)
}

// TestStaffSignsIn: who is not signed in is told what to do next, a session is its owner's
// alone, each role and office does its own, and a disabled account nothing from then on.
func TestStaffSignsIn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *door) {
		refused := func(want string, says string, args ...string) {
			t.Helper()
			if out, err := d.runWith(says, args...); err == nil || !strings.Contains(out, want) {
				t.Errorf("%v: %v, told %q", args, err, out)
			}
		}
		refused("Next: eshik staff sign-in NAME", "", "staff", "disputes", "--reason", "case 1")
		refused("The name, the password or the code is wrong", "x\n000000\n", "staff", "sign-in", "operator")
		refused("The name, the password or the code is wrong", "x\n000000\n", "staff", "sign-in", "nobody")
		d.staff("disputes")
		refused("say why, with --reason", "", "staff", "disputes")
		refused("say why, with --reason", "", "staff", "disputes", "--reason", "for 11503198800011")
		refused("is signed in as operator, who may not", "", "staff", "disable", "inspector", "--reason", "case 1")
		if err := os.Chmod(d.desk, 0o644); err != nil {
			t.Fatal(err)
		}
		refused("others can read or write the file of the session", "", "staff", "disputes", "--reason", "case 1")
		d.sits("kindergarten-k001")
		if err := os.Chmod(d.desk, 0o600); err != nil {
			t.Fatal(err)
		}
		refused("works for kindergarten/K001, where there is no such thing", "", "staff", "offer", "--registration", "47123456783", "--kindergarten", "K002", "--reason", "case 1")
		if out, err := d.as("administrator", "", "staff", "disable", "kindergarten-k001"); err != nil {
			t.Fatalf("disable: %v\n%s", err, out)
		}
		d.sits("kindergarten-k001")
		refused("the session is over", "", "staff", "proposals", "--reason", "case 1")
		d.sits("operator")
		if out, err := d.run("staff", "sign-out"); err != nil {
			t.Errorf("sign out: %v\n%s", err, out)
		}
		d.sits("operator")
		refused("the session is over", "", "staff", "disputes", "--reason", "case 1")
		d.fsck()
	})
}

// TestTwoPersonsOfStaff: a proposal waits for another person, is shown with what it is
// about, and is decided once.
func TestTwoPersonsOfStaff(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *door) {
		out, err := d.as("clerk-bishkek", "", "staff", "release-number", bakyt)
		found := proposal.FindStringSubmatch(out)
		if err != nil || found == nil {
			t.Fatalf("proposed: %v\n%s", err, out)
		}
		if out, err := d.as("clerk-bishkek", "", "staff", "approve", found[1]); err == nil || !strings.Contains(out, "Who proposes does not decide") {
			t.Errorf("one's own: %v\n%s", err, out)
		}
		if out, err := d.as("administrator", "", "staff", "approve", found[1]); err == nil || !strings.Contains(out, "There is no proposal of this id") {
			t.Errorf("nobody's: %v\n%s", err, out)
		}
		if out := d.staff("proposals"); !strings.Contains(out, found[1]) || !strings.Contains(out, "phone="+bakyt) || !strings.Contains(out, "clerk-bishkek") {
			t.Errorf("the list: %s", out)
		}
		if out := d.staff("approve", found[1]); !strings.Contains(out, "Released") {
			t.Errorf("approved: %s", out)
		}
		if out, err := d.as("inspector", "", "staff", "approve", found[1]); err == nil || !strings.Contains(out, "decided already") {
			t.Errorf("approved twice: %v\n%s", err, out)
		}
		asked, err := d.as("administrator", "", "staff", "add", "clerk-osh", "--role", "clerk", "--person", "S-9", "--office", "centre/41721")
		if err != nil {
			t.Fatalf("add: %v\n%s", err, asked)
		}
		made, err := d.as("inspector", "", "staff", "approve", proposal.FindStringSubmatch(asked)[1])
		if err != nil || strings.Contains(asked, "\ncodes ") || strings.Contains(made, "\npassword ") {
			t.Fatalf("each of the two is shown a half: %v\n%s\n%s", err, asked, made)
		}
		osh := officer{
			Name: "clerk-osh", Password: regexp.MustCompile(`password (\S+)`).FindStringSubmatch(asked)[1], Secret: regexp.MustCompile(`codes +(\S+)`).FindStringSubmatch(made)[1],
		}
		d.signInOfficer(osh)
		if out, err := d.as("clerk-osh", "", "staff", "disputes"); err == nil || !strings.Contains(out, "change it within 10 minutes: eshik staff password, then eshik staff codes") {
			t.Errorf("the new account, with what the administrator saw: %v\n%s", err, out)
		}
		d.changesOwn(osh, "үч көк айгыр секирди")
		if out, err := d.as("clerk-osh", "", "staff", "disputes"); err != nil {
			t.Errorf("the new account: %v\n%s", err, out)
		}
		d.fsck()
	})
}
