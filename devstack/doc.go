// Package devstack runs the servers that WatchParty needs, on this machine: Postgres, Redis and Temporal as child
// processes and a mail inbox in this process. `watchparty dev` uses it, and tests do through package stacktest.
//
// # The folder
//
// All data lives under Options.Dir and is found again by the next Start:
//
//	postgres/ redis/ temporal/ inbox/   data
//	logs/<service>.log                  what the servers say
//	run/<service>.pid                   the process, and what its command line must contain to count as ours
//	run/lock                            held while a Stack uses the folder: two cannot
//
// Postgres refuses to run as root. Started by root it runs as the user postgres, and keeps its data under the
// temporary folder when that user cannot reach Dir; Options.Progress is told.
//
// # Ends
//
// Children have process groups of their own, so that ctrl-C in a terminal reaches only this process, which then
// calls Close and stops them in an orderly way. When this process is killed instead, the children live on; the next
// Start on the folder stops those that are recorded there and starts anew on the same data. Nothing is stopped by its
// process ID alone: its command line must also name our folder or port.
//
// With Options.Ephemeral, on Linux, children are killed by the kernel when this process ends, however it ends.
//
// # Faults
//
// Stop, Kill and Restart act on one service; after Restart it has the port and the data that it had before. Whatever
// Postgres or Temporal has acknowledged survives Kill, Ephemeral or not. Redis keeps its data over Stop, loses up to
// the last minute on Kill, and all of it either way when Ephemeral.
package devstack
