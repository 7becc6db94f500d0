package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/containerd/ttrpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	pb "rollcall.test/interop/rollcallpb"
)

const (
	ttrpcProject   = "go-ttrpc"
	goroutineCount = 64
	callCount      = 50
	messageBytes   = 4 << 20
)

func ttrpcConnect(socket string, checks *checks) *ttrpc.Client {
	conn, err := net.Dial("unix", socket)
	checks.need("the connection", err)
	return ttrpc.NewClient(conn)
}

func ttrpcUnary(ctx context.Context, socket string, checks *checks) {
	client := ttrpcConnect(socket, checks)
	defer client.Close()
	server, projects := pb.NewTTRPCServerClient(client), pb.NewTTRPCProjectsClient(client)
	devices := pb.NewTTRPCDevicesClient(client)
	info, err := server.GetServerInfo(ctx, &pb.GetServerInfoRequest{})
	checks.need("GetServerInfo", err)
	equal(checks, "uid", info.GetCaller().GetUid(), uint32(os.Getuid()))
	equal(checks, "pid", info.GetCaller().GetPid(), int32(os.Getpid()))
	_, err = projects.CreateProject(ctx, &pb.CreateProjectRequest{Project: &pb.Project{Slug: ttrpcProject}})
	checks.need("CreateProject", err)
	keepsDevices(ctx, ttrpcProject, checks, devicesOverTTRPC{devices})
	refusesOverTTRPC(ctx, client, devices, checks)
}

// devicesOverTTRPC gives the ttrpc client the shape that it has in common with the gRPC client.
type devicesOverTTRPC struct{ client pb.TTRPCDevicesClient }

func (d devicesOverTTRPC) create(ctx context.Context, request *pb.CreateDeviceRequest) (*pb.Device, error) {
	return d.client.CreateDevice(ctx, request)
}

func (d devicesOverTTRPC) get(ctx context.Context, request *pb.GetDeviceRequest) (*pb.Device, error) {
	return d.client.GetDevice(ctx, request)
}

func (d devicesOverTTRPC) list(ctx context.Context, request *pb.ListDevicesRequest) (*pb.ListDevicesResponse, error) {
	return d.client.ListDevices(ctx, request)
}

// deviceCalls is what both clients can do.
type deviceCalls interface {
	create(context.Context, *pb.CreateDeviceRequest) (*pb.Device, error)
	get(context.Context, *pb.GetDeviceRequest) (*pb.Device, error)
	list(context.Context, *pb.ListDevicesRequest) (*pb.ListDevicesResponse, error)
}

// keepsDevices creates, reads, lists, and is refused.
func keepsDevices(ctx context.Context, project string, checks *checks, devices deviceCalls) {
	request := &pb.CreateDeviceRequest{Project: project, Device: &pb.Device{
		DeviceSerial: "GO:1", OwnerRef: "Klinik Süd", HardwareVersion: "hw+1",
	}}
	created, err := devices.create(ctx, request)
	checks.need("CreateDevice", err)
	checks.that("id is positive", created.GetId() > 0)
	checks.that("there is an etag", created.GetEtag() != "")
	age := time.Since(created.GetCreatedDate().AsTime())
	checks.that(fmt.Sprintf("created_date is %v ago", age), age > -time.Second && age < time.Minute)
	checks.same("the device", created, &pb.Device{
		Id: created.GetId(), CreatedDate: created.GetCreatedDate(), UpdatedDate: created.GetCreatedDate(),
		DeviceSerial: "GO:1", OwnerRef: "Klinik Süd", HardwareVersion: "hw+1", Etag: created.GetEtag(),
		Cohort: &pb.Cohort{Id: created.GetCohort().GetId(), Name: "Default", Slug: "default"},
	})
	read, err := devices.get(ctx, &pb.GetDeviceRequest{Project: project, DeviceSerial: "GO:1"})
	checks.need("GetDevice", err)
	checks.same("the device as read", read, created)
	list := &pb.ListDevicesRequest{Project: project, IncludeTotal: true, Filter: `owner_ref = "Klinik*"`}
	page, err := devices.list(ctx, list)
	checks.need("ListDevices", err)
	checks.same("the list", page, &pb.ListDevicesResponse{Devices: []*pb.Device{created}, TotalCount: 1})

	_, err = devices.create(ctx, request)
	checks.refused("a serial that is taken", err, codes.AlreadyExists, "DEVICE_EXISTS")
	_, err = devices.get(ctx, &pb.GetDeviceRequest{Project: project, DeviceSerial: "absent"})
	checks.refused("a device that is not there", err, codes.NotFound, "DEVICE_NOT_FOUND")
	bad := &pb.CreateDeviceRequest{Project: "a b", RequestId: "x", Device: &pb.Device{DeviceSerial: "Ä"}}
	_, err = devices.create(ctx, bad)
	checks.refused("five bad fields", err, codes.InvalidArgument, "FIELD_INVALID",
		"project", "device.device_serial", "device.owner_ref", "device.hardware_version", "request_id")
}

func refusesOverTTRPC(ctx context.Context, client *ttrpc.Client, devices pb.TTRPCDevicesClient, checks *checks) {
	get := &pb.GetDeviceRequest{Project: ttrpcProject, DeviceSerial: "GO:1"}
	err := client.Call(ctx, "rollcall.v1.Devices", "Nothing", get, &pb.Device{})
	checks.refused("an unknown method", err, codes.Unimplemented, "METHOD_UNKNOWN")
	checks.that("the unknown method is named", strings.Contains(status.Convert(err).Message(), "Nothing"))

	// The client of 1.2 writes a deadline that has passed as a negative number and then waits for the answer or not.
	late, cancel := context.WithDeadline(ctx, time.Now().Add(-time.Second))
	_, err = devices.GetDevice(late, get)
	cancel()
	checks.that(fmt.Sprintf("a deadline that has passed: %v", err), err != nil)
	in, cancel := context.WithTimeout(ctx, time.Minute)
	_, err = devices.GetDevice(in, get)
	cancel()
	checks.need("a deadline in a minute", err)

	_, err = devices.GetDevice(ttrpc.WithMetadata(ctx, ttrpc.MD{"x-trace": {"one", "two"}}), get)
	checks.need("metadata", err)

	large := &pb.GetDeviceRequest{DeviceSerial: strings.Repeat("a", messageBytes)}
	_, err = devices.GetDevice(ctx, large)
	equal(checks, "a message over 4 MiB", status.Code(err), codes.ResourceExhausted)
	read, err := devices.GetDevice(ctx, get)
	checks.need("the connection serves after that", err)
	equal(checks, "the device after that", read.GetDeviceSerial(), "GO:1")
}

func ttrpcLoad(ctx context.Context, socket string, checks *checks) {
	client := ttrpcConnect(socket, checks)
	defer client.Close()
	atOnce(ctx, checks, devicesOverTTRPC{pb.NewTTRPCDevicesClient(client)}, ttrpcProject)
}

// atOnce has every goroutine create a device and read its own again and again.
func atOnce(ctx context.Context, checks *checks, devices deviceCalls, project string) {
	var group sync.WaitGroup
	for index := range goroutineCount {
		group.Add(1)
		go func() {
			defer group.Done()
			serial := fmt.Sprint("load-", index)
			device := &pb.Device{DeviceSerial: serial, OwnerRef: fmt.Sprint(index), HardwareVersion: "hw"}
			created, err := devices.create(ctx, &pb.CreateDeviceRequest{Project: project, Device: device})
			for call := 0; err == nil && call < callCount; call++ {
				var read *pb.Device
				read, err = devices.get(ctx, &pb.GetDeviceRequest{Project: project, DeviceSerial: serial})
				checks.that(serial+" is read as it was created", err != nil || proto.Equal(read, created))
			}
			checks.that(fmt.Sprintf("every call for %s is answered (%v)", serial, err), err == nil)
		}()
	}
	group.Wait()
}
