package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// programs are the paths of what the tests stand on.
type programs struct {
	postgres string // the folder with initdb and postgres
	redis    string
	chromium string
	npm      string
	smpp     string // Kannel's SMS centre
	softhsm  string // the library of a security module in software
}

// need is one program, the Debian packages that bring it, and how to find it.
type need struct {
	packages []string
	find     func() string // "" when absent
	keep     func(*programs, string)
}

func needs() []need {
	return []need{
		{[]string{"postgresql"}, findPostgres, func(p *programs, path string) { p.postgres = path }},
		{[]string{"redis-server"}, inPath("redis-server"), func(p *programs, path string) { p.redis = path }},
		{[]string{"chromium"}, inPath("chromium", "chromium-browser", "google-chrome"),
			func(p *programs, path string) { p.chromium = path }},
		{[]string{"qpdf"}, inPath("qpdf"), func(*programs, string) {}},
		{[]string{"poppler-utils"}, inPath("pdftotext"), func(*programs, string) {}},
		{[]string{"default-jre-headless"}, inPath("java"), func(*programs, string) {}},
		// PDFBox Preflight, a judge of documents for archives, and what it stands on.
		{[]string{"libpdfbox2-java", "libactivation-java", "libjaxb-api-java"}, findPreflight, func(*programs, string) {}},
		{[]string{"openssl"}, inPath("openssl"), func(*programs, string) {}},
		{[]string{"zbar-tools"}, inPath("zbarimg"), func(*programs, string) {}},
		{[]string{"nodejs", "npm"}, inPath("npm"), func(p *programs, path string) { p.npm = path }},
		{[]string{"kannel-extras"}, findKannel, func(p *programs, path string) { p.smpp = path }},
		{[]string{"gringo"}, inPath("clingo"), func(*programs, string) {}},
		{[]string{"softhsm2"}, findSoftHSM, func(p *programs, path string) { p.softhsm = path }},
		// For the program that speaks to security modules, and for the race detector.
		{[]string{"gcc", "libc6-dev"}, inPath("gcc", "clang"), func(*programs, string) {}},
	}
}

// find finds every program, installing what is missing when it may.
func find(ctx context.Context, all []need) (programs, error) {
	found, missing := look(all)
	if len(missing) == 0 {
		return found, nil
	}
	if os.Geteuid() != 0 {
		return found, fmt.Errorf("something is missing; run this once:\n  sudo apt-get update && sudo apt-get install -y --no-install-recommends %s",
			strings.Join(missing, " "))
	}
	if err := install(ctx, missing); err != nil {
		return found, err
	}
	if found, missing = look(all); len(missing) > 0 {
		return found, fmt.Errorf("installed and still not found: %s", strings.Join(missing, " "))
	}
	return found, nil
}

func look(all []need) (found programs, missing []string) {
	for _, n := range all {
		path := n.find()
		if path == "" {
			missing = append(missing, n.packages...)
			continue
		}
		n.keep(&found, path)
	}
	return found, missing
}

// install brings Debian packages. Its output goes to standard error: it can
// take minutes, and somebody may be watching.
func install(ctx context.Context, packages []string) error {
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("missing, and this is no Debian to install them on: %s", strings.Join(packages, " "))
	}
	steps := [][]string{
		{"-o", "Acquire::Retries=3", "update"},
		append([]string{"-o", "Acquire::Retries=3", "install", "-y", "--no-install-recommends"}, packages...),
	}
	for _, arguments := range steps {
		fmt.Fprintln(os.Stderr, "withservers: apt-get", strings.Join(arguments, " "))
		step := exec.CommandContext(ctx, "apt-get", arguments...) // #nosec G204 -- the arguments are the constants above
		// RUNLEVEL=1 keeps the packages from starting services of their own.
		step.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1")
		step.Stdout, step.Stderr = os.Stderr, os.Stderr
		if err := step.Run(); err != nil {
			return fmt.Errorf("apt-get %s: %w", strings.Join(arguments, " "), err)
		}
	}
	return nil
}

func inPath(names ...string) func() string {
	return func() string {
		for _, name := range names {
			path, err := exec.LookPath(name)
			if err == nil {
				return path
			}
			if !errors.Is(err, exec.ErrNotFound) {
				fmt.Fprintln(os.Stderr, "withservers:", err)
			}
		}
		return ""
	}
}

// findPreflight finds the judge of documents for archives, and the last that it stands on.
func findPreflight() string {
	for _, library := range []string{"pdfbox2", "javax.activation", "jaxb-api", "preflight"} {
		if _, err := os.Stat("/usr/share/java/" + library + ".jar"); err != nil {
			return ""
		}
	}
	return "/usr/share/java/preflight.jar"
}

// findKannel finds Kannel's SMS centre for tests, which Debian keeps out of PATH.
func findKannel() string {
	const path = "/usr/lib/kannel/test/drive_smpp"
	if exists(path) {
		return path
	}
	return inPath("drive_smpp")()
}

// findSoftHSM finds the library, where the tool that makes its tokens is there too.
func findSoftHSM() string {
	const path = "/usr/lib/softhsm/libsofthsm2.so"
	if exists(path) && inPath("softhsm2-util")() != "" {
		return path
	}
	return ""
}

// findPostgres finds the folder with the server's programs. Debian keeps them
// out of PATH, a folder for each version: the newest is taken.
func findPostgres() string {
	folders, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // the pattern is a valid one
	slices.SortFunc(folders, func(a, b string) int { return version(b) - version(a) })
	if path, err := exec.LookPath("postgres"); err == nil {
		folders = append(folders, filepath.Dir(path))
	}
	for _, folder := range folders {
		if exists(filepath.Join(folder, "initdb")) && exists(filepath.Join(folder, "postgres")) {
			return folder
		}
	}
	return ""
}

// version reads 15 out of /usr/lib/postgresql/15/bin.
func version(folder string) int {
	n, err := strconv.Atoi(filepath.Base(filepath.Dir(folder)))
	if err != nil {
		return 0
	}
	return n
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
