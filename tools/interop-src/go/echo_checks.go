package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/containerd/ttrpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
)

const echo = "test.v1.Echo"

// echoStream is what the streams of both clients can do.
type echoStream interface {
	SendMsg(message any) error
	RecvMsg(message any) error
	CloseSend() error
}

// echoClient opens a stream; a first message goes with it where only the server streams.
type echoClient func(method string, fromClient, fromServer bool, first *fieldmaskpb.FieldMask) (echoStream, error)

func ttrpcEcho(ctx context.Context, socket string, checks *checks) {
	client := ttrpcConnect(socket, checks)
	defer client.Close()
	echoes(checks, func(method string, fromClient, fromServer bool, first *fieldmaskpb.FieldMask) (echoStream, error) {
		desc := &ttrpc.StreamDesc{StreamingClient: fromClient, StreamingServer: fromServer}
		if first == nil {
			return client.NewStream(ctx, desc, echo, method, nil)
		}
		return client.NewStream(ctx, desc, echo, method, first)
	})
	answer := &fieldmaskpb.FieldMask{}
	checks.need("Unary", client.Call(ctx, echo, "Unary", mask(7), answer))
	checks.same("the answer of Unary", answer, mask(7))
}

func grpcEcho(ctx context.Context, socket string, checks *checks) {
	conn, _ := grpcConnect(socket+".grpc", checks)
	defer conn.Close()
	echoes(checks, func(method string, fromClient, fromServer bool, first *fieldmaskpb.FieldMask) (echoStream, error) {
		desc := &grpc.StreamDesc{ClientStreams: fromClient, ServerStreams: fromServer}
		stream, err := conn.NewStream(ctx, desc, "/"+echo+"/"+method)
		if err == nil && first != nil {
			err = errors.Join(stream.SendMsg(first), stream.CloseSend())
		}
		return stream, err
	})
	answer := &fieldmaskpb.FieldMask{}
	checks.need("Unary", conn.Invoke(ctx, "/"+echo+"/Unary", mask(7), answer))
	checks.same("the answer of Unary", answer, mask(7))
	grpcMetadata(ctx, conn, checks)
}

// grpcMetadata has metadata come back before the answer and after it.
func grpcMetadata(ctx context.Context, conn *grpc.ClientConn, checks *checks) {
	const initial, trailing = "x-grpc-test-echo-initial", "x-grpc-test-echo-trailing-bin"
	ctx = metadata.AppendToOutgoingContext(ctx, initial, "one", initial, "two", trailing, "\x00\xff\x0a")
	compare := func(method string, header, trailer metadata.MD) {
		equal(checks, "the head of "+method, fmt.Sprint(header.Get(initial)), "[one two]")
		equal(checks, "the trailers of "+method, fmt.Sprintf("%q", trailer.Get(trailing)), `["\x00\xff\n"]`)
	}

	var header, trailer metadata.MD
	err := conn.Invoke(ctx, "/"+echo+"/Unary", mask(7), &fieldmaskpb.FieldMask{}, grpc.Header(&header), grpc.Trailer(&trailer))
	checks.need("Unary with metadata", err)
	compare("Unary", header, trailer)

	desc := &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}
	stream, err := conn.NewStream(ctx, desc, "/"+echo+"/Bidi")
	checks.need("Bidi with metadata", err)
	header, err = stream.Header()
	checks.need("the head of Bidi before any message", err)
	checks.need("the end of the messages to Bidi", stream.CloseSend())
	ends(checks, "Bidi", stream)
	compare("Bidi", header, stream.Trailer())
}

// mask is a message that one cannot take for another; masks laid end to end are one mask of all paths.
func mask(index int) *fieldmaskpb.FieldMask {
	return &fieldmaskpb.FieldMask{Paths: []string{fmt.Sprint("path ", index)}}
}

func echoes(checks *checks, open echoClient) {
	for _, count := range []int{0, 1, 3, 1000} {
		stream, err := open("Client", true, false, nil)
		checks.need("Client", err)
		expected := &fieldmaskpb.FieldMask{}
		for index := range count {
			checks.need("a message to Client", stream.SendMsg(mask(index)))
			expected.Paths = append(expected.Paths, mask(index).Paths...)
		}
		checks.need("the end of the messages", stream.CloseSend())
		answer := &fieldmaskpb.FieldMask{}
		checks.need("the answer of Client", stream.RecvMsg(answer))
		checks.same(fmt.Sprintf("the answer of Client to %d messages", count), answer, expected)
	}

	stream, err := open("Server", false, true, mask(5))
	checks.need("Server", err)
	for range 3 {
		answer := &fieldmaskpb.FieldMask{}
		checks.need("an answer of Server", stream.RecvMsg(answer))
		checks.same("an answer of Server", answer, mask(5))
	}
	ends(checks, "Server", stream)

	stream, err = open("Bidi", true, true, nil)
	checks.need("Bidi", err)
	for index := range 100 {
		checks.need("a message to Bidi", stream.SendMsg(mask(index)))
		answer := &fieldmaskpb.FieldMask{}
		checks.need("an answer of Bidi", stream.RecvMsg(answer))
		checks.same("an answer of Bidi", answer, mask(index))
	}
	checks.need("the end of the messages to Bidi", stream.CloseSend())
	ends(checks, "Bidi", stream)
}

func ends(checks *checks, method string, stream echoStream) {
	err := stream.RecvMsg(&fieldmaskpb.FieldMask{})
	checks.that(fmt.Sprintf("the end of %s: %v", method, err), errors.Is(err, io.EOF))
}
