package main

import "syscall"

// dieWithParent has the kernel end the server should we be killed outright:
// SIGINT is the fast, orderly stop of PostgreSQL and of Redis alike.
func dieWithParent(attributes *syscall.SysProcAttr) { attributes.Pdeathsig = syscall.SIGINT }
