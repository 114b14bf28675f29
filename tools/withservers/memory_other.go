//go:build !linux

package main

// inMemory is "": no folder is known whose files never reach a disk.
func inMemory() string { return "" }
