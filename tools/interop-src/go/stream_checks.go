package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/containerd/ttrpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"

	pb "rollcall.test/interop/rollcallpb"
)

const (
	serving        = grpc_health_v1.HealthCheckResponse_SERVING
	serviceUnknown = grpc_health_v1.HealthCheckResponse_SERVICE_UNKNOWN
	checkInCount   = 2000
	reflection     = "grpc.reflection.v1.ServerReflection"
)

func ttrpcHealthWatch(ctx context.Context, socket string, checks *checks) {
	client := ttrpcConnect(socket, checks)
	defer client.Close()
	desc := &ttrpc.StreamDesc{StreamingServer: true}
	for service, expected := range map[string]grpc_health_v1.HealthCheckResponse_ServingStatus{
		"": serving, "rollcall.v1.Devices": serving, "rollcall.v1.Projects": serving, "rollcall.v1.Server": serving,
		"rollcall.v1.Nothing": serviceUnknown,
	} {
		request := &grpc_health_v1.HealthCheckRequest{Service: service}
		stream, err := client.NewStream(ctx, desc, "grpc.health.v1.Health", "Watch", request)
		checks.need("Watch", err)
		answer := &grpc_health_v1.HealthCheckResponse{}
		checks.need(fmt.Sprintf("the first message for '%s'", service), stream.RecvMsg(answer))
		equal(checks, fmt.Sprintf("health of '%s'", service), answer.GetStatus(), expected)
	}
	answer := &grpc_health_v1.HealthCheckResponse{}
	err := client.Call(ctx, "grpc.health.v1.Health", "Check", &grpc_health_v1.HealthCheckRequest{}, answer)
	checks.need("Check beside the watches", err)
	equal(checks, "health", answer.GetStatus(), serving)
}

func ttrpcBidi(ctx context.Context, socket string, checks *checks) {
	client := ttrpcConnect(socket, checks)
	defer client.Close()
	desc := &ttrpc.StreamDesc{StreamingClient: true, StreamingServer: true}
	stream, err := client.NewStream(ctx, desc, reflection, "ServerReflectionInfo", nil)
	checks.need("ServerReflectionInfo", err)
	ask := func(request *question) (*answer, error) {
		if err := stream.SendMsg(request); err != nil {
			return nil, err
		}
		answered := &answer{}
		return answered, stream.RecvMsg(answered)
	}
	reflects(checks, ask)
	checks.need("the end of the questions", stream.CloseSend())
	err = stream.RecvMsg(&answer{})
	checks.that(fmt.Sprintf("the end of the answers: %v", err), errors.Is(err, io.EOF))
	checkIns, err := pb.NewTTRPCDevicesClient(client).CheckInStream(ctx)
	checks.need("CheckInStream", err)
	checksIn(checks, ttrpcProject, checkIns)
	watch, err := pb.NewTTRPCDevicesClient(client).WatchDevices(ctx)
	checks.need("WatchDevices", err)
	watches(checks, ttrpcProject, watch)
	// Without a cancel, the end of the requests is how a caller has had enough.
	checks.need("the end of the watch", watch.CloseSend())
	_, err = watch.Recv()
	checks.that(fmt.Sprintf("the end of the events: %v", err), errors.Is(err, io.EOF))
}

// watchStream is what the streams of both clients can do.
type watchStream interface {
	Send(*pb.WatchDevicesRequest) error
	Recv() (*pb.WatchDevicesResponse, error)
}

// watches reads what matches at first, up to the bookmark.
func watches(checks *checks, project string, stream watchStream) {
	checks.need("the request of a watch", stream.Send(&pb.WatchDevicesRequest{Project: project}))
	count := 0
	for {
		event, err := stream.Recv()
		checks.need("an event", err)
		if bookmark := event.GetBookmark(); bookmark != nil {
			checks.that("the bookmark names its store", len(bookmark.GetStoreId()) == 36)
			break
		}
		count += len(event.GetSnapshot().GetDevices())
	}
	checks.that(fmt.Sprintf("the devices of the snapshot: %d", count), count > 0)
}

// checkInStream is what the streams of both clients can do.
type checkInStream interface {
	Send(*pb.CheckInRequest) error
	Recv() (*pb.CheckInStreamResponse, error)
	CloseSend() error
}

// checksIn sends check-ins ahead of their acknowledgements, with bad ones among them.
func checksIn(checks *checks, project string, stream checkInStream) {
	sent := make(chan error, 1)
	go func() {
		for number := range checkInCount {
			request := &pb.CheckInRequest{Project: project, HardwareVersion: "hw", CreateMissing: true}
			if number%10 != 3 {
				request.DeviceSerial = fmt.Sprint("stream-", number)
			}
			if err := stream.Send(request); err != nil {
				sent <- err
				return
			}
		}
		sent <- stream.CloseSend()
	}()
	for number := range checkInCount {
		answer, err := stream.Recv()
		checks.need(fmt.Sprintf("the acknowledgement of check-in %d", number), err)
		equal(checks, "position", answer.GetPosition(), int64(number)+1)
		if number%10 == 3 {
			equal(checks, "code of a bad check-in", codes.Code(answer.GetStatus().GetCode()), codes.InvalidArgument)
		} else {
			equal(checks, "the device", answer.GetDevice().GetDeviceSerial(), fmt.Sprint("stream-", number))
		}
	}
	checks.need("the end of the check-ins", <-sent)
	_, err := stream.Recv()
	checks.that(fmt.Sprintf("the end of the acknowledgements: %v", err), errors.Is(err, io.EOF))
}

type (
	question = grpc_reflection_v1.ServerReflectionRequest
	answer   = grpc_reflection_v1.ServerReflectionResponse
	byList   = grpc_reflection_v1.ServerReflectionRequest_ListServices
	bySymbol = grpc_reflection_v1.ServerReflectionRequest_FileContainingSymbol
)

// reflects asks one question after the other on one stream.
func reflects(checks *checks, ask func(*question) (*answer, error)) {
	found, err := ask(&question{
		MessageRequest: &byList{},
	})
	checks.need("the services", err)
	var services []string
	for _, service := range found.GetListServicesResponse().GetService() {
		services = append(services, service.GetName())
	}
	for _, service := range []string{
		"rollcall.v1.Devices", "rollcall.v1.Projects", "rollcall.v1.Server", "grpc.health.v1.Health",
	} {
		checks.that(fmt.Sprintf("%s is among %v", service, services), slices.Contains(services, service))
	}
	for _, symbol := range []string{"rollcall.v1.Device", "rollcall.v1.Devices", "rollcall.v1.Devices.GetDevice"} {
		found, err = ask(&question{
			MessageRequest: &bySymbol{FileContainingSymbol: symbol},
		})
		checks.need(symbol, err)
		checks.that(symbol+" is in a file", len(found.GetFileDescriptorResponse().GetFileDescriptorProto()) > 0)
		for _, data := range found.GetFileDescriptorResponse().GetFileDescriptorProto() {
			hasTheFile(checks, data)
		}
	}
	found, err = ask(&question{
		MessageRequest: &bySymbol{FileContainingSymbol: "no.such.Symbol"},
	})
	checks.need("an unknown symbol", err)
	equal(checks, "an unknown symbol, code", codes.Code(found.GetErrorResponse().GetErrorCode()), codes.NotFound)
}

// hasTheFile compares the messages of a file of ours with those that Go generated.
func hasTheFile(checks *checks, data []byte) {
	file := &descriptorpb.FileDescriptorProto{}
	checks.need("a file descriptor", proto.Unmarshal(data, file))
	own := map[string]*descriptorpb.FileDescriptorProto{
		"rollcall/v1/devices.proto":   protodesc.ToFileDescriptorProto(pb.File_rollcall_v1_devices_proto),
		"rollcall/v1/resources.proto": protodesc.ToFileDescriptorProto(pb.File_rollcall_v1_resources_proto),
	}[file.GetName()]
	if own == nil {
		return
	}
	equal(checks, file.GetName()+", messages", len(file.GetMessageType()), len(own.GetMessageType()))
	for index, message := range file.GetMessageType() {
		expected := own.GetMessageType()[index]
		equal(checks, file.GetName()+", message", message.GetName(), expected.GetName())
		for number, field := range message.GetField() {
			equal(checks, message.GetName()+", field", described(field), described(expected.GetField()[number]))
		}
	}
}

func described(field *descriptorpb.FieldDescriptorProto) string {
	return fmt.Sprint(field.GetNumber(), field.GetName(), field.GetType())
}
