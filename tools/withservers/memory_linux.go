package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
)

// memory is where Linux keeps files in memory.
const memory = "/dev/shm"

// memoryNeeded is how many bytes must be free, there and in the machine: the databases of a whole
// run at once, several times over. What is less is the machine's own business, not ours to fill.
const memoryNeeded = 6 << 30

// Of statfs(2).
const (
	tmpfs  = 0x01021994
	noExec = 8
)

// inMemory is a folder whose files never reach a disk, for which the tests of databases wait most
// of their time; "" where there is none with room, or where programs may not be run from it.
func inMemory() string {
	var folder syscall.Statfs_t
	if err := syscall.Statfs(memory, &folder); err != nil || folder.Type != tmpfs || folder.Flags&noExec != 0 {
		return ""
	}
	if folder.Bavail < memoryNeeded/uint64(folder.Bsize) || available() < memoryNeeded { // #nosec G115 -- a block has a size
		return ""
	}
	return memory
}

// available is how many bytes the machine can give without swapping; 0 where it does not say.
func available() uint64 {
	stated, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(stated)) {
		var kB uint64
		if n, _ := fmt.Sscanf(line, "MemAvailable: %d kB", &kB); n == 1 { // other lines are others' sizes
			return kB << 10
		}
	}
	return 0
}
