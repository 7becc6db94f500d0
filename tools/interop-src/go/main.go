// Calls a rollcalld over ttrpc and gRPC with the stock Go clients, for tools/interop, and prints a line for each group
// of checks.
//
// usage: suite --socket PATH [--echo PATH]
//
// A line is of tab-separated fields: `group`, its name, what it holds, how many checks it made, how many seconds it
// took; before it, for each check that failed, `problem`, the group and a sentence; or `skip`, the group and the reason.
package main

import (
	"context"
	"flag"
	"fmt"
	"time"
)

const groupSecondsMax = 40

// group is a set of checks under one name.
type group struct {
	name    string
	summary string
	run     func(ctx context.Context, socket string, checks *checks)
}

var groups = []group{
	{"ttrpc-unary", "ttrpc: calls, fields, errors with details, deadlines, metadata, sizes", ttrpcUnary},
	{"ttrpc-load", "ttrpc: 64 goroutines on one connection", ttrpcLoad},
	{"ttrpc-server-stream", "ttrpc: health watched", ttrpcHealthWatch},
	{"ttrpc-bidi", "ttrpc: reflection, check-ins and watches, both sides streaming", ttrpcBidi},
	{"ttrpc-bulk", "ttrpc: 3,000 devices imported with progress, exported, and backed up", ttrpcBulk},
	{"grpc-unary", "gRPC: calls, fields, errors with details, deadlines, compression", grpcUnary},
	{"grpc-streams", "gRPC: health watched, reflection, check-ins, watches, 300 cancelled streams", grpcStreams},
	{"grpc-bulk", "gRPC: 3,000 devices imported with progress, exported, and backed up", grpcBulk},
	{"grpc-load", "gRPC: two seconds of load, with its PINGs, on one connection that lasts", grpcLoad},
}

// Kinds of method that rollcall.v1 does not have, of the test server in Tests/EchoServer.
var echoGroups = []group{
	{"ttrpc-echo", "ttrpc: every kind of stream, of the test server", ttrpcEcho},
	{"grpc-echo", "gRPC: every kind of stream, of the test server", grpcEcho},
}

func main() {
	socket := flag.String("socket", "", "the daemon's socket")
	echo := flag.String("echo", "", "socket of the test server")
	flag.Parse()
	for _, group := range groups {
		runGroup(group, *socket)
	}
	for _, group := range echoGroups {
		if *echo == "" {
			report("skip", group.name, "no method of rollcall.v1 streams from the client alone, and there is no test server")
		} else {
			runGroup(group, *echo)
		}
	}
}

func runGroup(group group, socket string) {
	ctx, cancel := context.WithTimeout(context.Background(), groupSecondsMax*time.Second)
	defer cancel()
	began := time.Now()
	checks := &checks{}
	checks.run(func() { group.run(ctx, socket, checks) })
	for _, problem := range checks.problems {
		report("problem", group.name, problem)
	}
	report("group", group.name, group.summary, fmt.Sprint(checks.count), fmt.Sprintf("%.1f", time.Since(began).Seconds()))
}
