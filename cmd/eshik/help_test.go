package main

import (
	"bytes"
	"strings"
	"testing"
)

// The page of a command names the settings that it reads, and no others.
func TestHelpNamesOwnFlags(t *testing.T) {
	t.Parallel()
	const own = "--data --database --master-key"
	for command, want := range map[string]string{
		"sms silenced": own, "fsck": own, "staff disputes": own, "sms estimate": "--gateways", "flows check": "--gateways",
		"serve": own + " --gateways", "version": "",
	} {
		var out, faults bytes.Buffer
		if code := run(append(strings.Fields(command), "--help"), strings.NewReader(""), &out, &faults); code != 0 {
			t.Errorf("%s --help ends with %d: %s", command, code, faults.String())
		}
		for _, flag := range strings.Fields("--data --database --master-key --gateways") {
			named := strings.Contains(out.String(), flag+"=")
			if named != strings.Contains(want, flag) {
				t.Errorf("the page of %q names %s: %v", command, flag, named)
			}
		}
	}
}
