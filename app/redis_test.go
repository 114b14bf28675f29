package app

import (
	"fmt"
	"strings"
	"testing"
)

func TestOpenRedis(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"redis://127.0.0.1:6379/2":                            "*redis.Client",
		"rediss://user:word@redis.example:6380":               "*redis.Client",
		"redis+sentinel://127.0.0.1:1,127.0.0.1:2/1?master=m": "*redis.Client",
		"redis+cluster://127.0.0.1:1,127.0.0.1:2":             "*redis.ClusterClient",
		"redis+sentinel://127.0.0.1:1":                        "",
		"redis+cluster://127.0.0.1:1/3":                       "",
		"redis://127.0.0.1:1,127.0.0.1:2":                     "",
		"redis://127.0.0.1:1/x":                               "",
		"http://127.0.0.1:1":                                  "",
		"127.0.0.1:6379":                                      "",
		"":                                                    "",
	} {
		client, err := openRedis(address)
		if err != nil {
			if want != "" || !strings.Contains(err.Error(), "ESHIK_REDIS") {
				t.Errorf("%q: %v", address, err)
			}
			continue
		}
		if got := fmt.Sprintf("%T", client); got != want {
			t.Errorf("%q is a %s, want %q", address, got, want)
		}
		_ = client.Close()
	}
}
