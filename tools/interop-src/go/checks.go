package main

import (
	"fmt"
	"sort"
	"strings"
	"sync"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// checks counts the checks of one group and keeps a sentence for each that failed.
type checks struct {
	mutex    sync.Mutex
	count    int
	problems []string
}

// ended is what a group panics with when it cannot go on.
type ended struct{ error }

// run calls body, which may end early by need.
func (c *checks) run(body func()) {
	defer func() {
		switch reason := recover().(type) {
		case nil:
		case ended:
		default:
			c.that(fmt.Sprint("the group ended with ", reason), false)
		}
	}()
	body()
}

func (c *checks) that(what string, holds bool) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.count++
	if !holds {
		c.problems = append(c.problems, what+": not so")
	}
}

// need ends the group if there is an error.
func (c *checks) need(what string, err error) {
	if err != nil {
		c.that(fmt.Sprintf("%s (%v)", what, err), false)
		panic(ended{err})
	}
	c.that(what, true)
}

func equal[Value comparable](c *checks, what string, actual, expected Value) {
	c.that(fmt.Sprintf("%s is %v, expected %v", what, actual, expected), actual == expected)
}

func (c *checks) same(what string, actual, expected proto.Message) {
	c.that(fmt.Sprintf("%s is {%v}, expected {%v}", what, actual, expected), proto.Equal(actual, expected))
}

// refused holds an error against its code and its details: one ErrorInfo with this reason, and these bad fields.
func (c *checks) refused(what string, err error, code codes.Code, reason string, fields ...string) {
	refusal := status.Convert(err)
	equal(c, what+", code", refusal.Code(), code)
	c.that(what+", message", refusal.Message() != "")
	var reasons, bad []string
	for _, detail := range refusal.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			reasons = append(reasons, detail.GetDomain()+"/"+detail.GetReason())
		case *errdetails.BadRequest:
			for _, violation := range detail.GetFieldViolations() {
				bad = append(bad, violation.GetField())
			}
		}
	}
	sort.Strings(bad)
	sort.Strings(fields)
	equal(c, what+", ErrorInfo", strings.Join(reasons, " "), "rollcall/"+reason)
	equal(c, what+", bad fields", strings.Join(bad, " "), strings.Join(fields, " "))
}

// report prints a line of fields.
func report(fields ...string) {
	for index, field := range fields {
		fields[index] = strings.NewReplacer("\t", " ", "\n", " ").Replace(field)
	}
	fmt.Println(strings.Join(fields, "\t"))
}
