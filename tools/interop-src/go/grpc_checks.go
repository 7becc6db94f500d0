package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"

	pb "rollcall.test/interop/rollcallpb"
)

const (
	grpcProject     = "go-grpc"
	loadDuration    = 2 * time.Second
	loadGoroutines  = 8
	cancelledCount  = 300
	loadedPageCount = 50
)

// connections counts those that a client made.
type connections struct{ begun atomic.Int32 }

func (c *connections) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (c *connections) HandleRPC(context.Context, stats.RPCStats)                         {}
func (c *connections) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (c *connections) HandleConn(_ context.Context, event stats.ConnStats) {
	if _, isBegin := event.(*stats.ConnBegin); isBegin {
		c.begun.Add(1)
	}
}

func grpcConnect(socket string, checks *checks) (*grpc.ClientConn, *connections) {
	counted := &connections{}
	conn, err := grpc.NewClient("unix://"+socket,
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithStatsHandler(counted))
	checks.need("the connection", err)
	return conn, counted
}

// devicesOverGRPC gives the gRPC client the shape that it has in common with the ttrpc client.
type devicesOverGRPC struct{ client pb.DevicesClient }

func (d devicesOverGRPC) create(ctx context.Context, request *pb.CreateDeviceRequest) (*pb.Device, error) {
	return d.client.CreateDevice(ctx, request)
}

func (d devicesOverGRPC) get(ctx context.Context, request *pb.GetDeviceRequest) (*pb.Device, error) {
	return d.client.GetDevice(ctx, request)
}

func (d devicesOverGRPC) list(ctx context.Context, request *pb.ListDevicesRequest) (*pb.ListDevicesResponse, error) {
	return d.client.ListDevices(ctx, request)
}

func grpcUnary(ctx context.Context, socket string, checks *checks) {
	conn, _ := grpcConnect(socket, checks)
	defer conn.Close()
	info, err := pb.NewServerClient(conn).GetServerInfo(ctx, &pb.GetServerInfoRequest{})
	checks.need("GetServerInfo", err)
	equal(checks, "pid", info.GetCaller().GetPid(), int32(os.Getpid()))
	project := &pb.CreateProjectRequest{Project: &pb.Project{Slug: grpcProject}}
	_, err = pb.NewProjectsClient(conn).CreateProject(ctx, project)
	checks.need("CreateProject", err)
	devices := pb.NewDevicesClient(conn)
	keepsDevices(ctx, grpcProject, checks, devicesOverGRPC{devices})
	refusesOverGRPC(ctx, conn, devices, checks)
}

func refusesOverGRPC(ctx context.Context, conn *grpc.ClientConn, devices pb.DevicesClient, checks *checks) {
	get := &pb.GetDeviceRequest{Project: grpcProject, DeviceSerial: "GO:1"}
	err := conn.Invoke(ctx, "/rollcall.v1.Devices/Nothing", get, &pb.Device{})
	checks.refused("an unknown method", err, codes.Unimplemented, "METHOD_UNKNOWN")

	late, cancel := context.WithDeadline(ctx, time.Now().Add(-time.Second))
	_, err = devices.GetDevice(late, get)
	cancel()
	equal(checks, "a deadline that has passed", status.Code(err), codes.DeadlineExceeded)
	// Written as `360000000m` or the like: longer than the eight digits of the specification.
	for _, timeout := range []time.Duration{time.Minute, 100 * time.Hour, 100_000 * time.Hour} {
		in, cancel := context.WithTimeout(ctx, timeout)
		_, err = devices.GetDevice(in, get)
		cancel()
		checks.need(fmt.Sprintf("a deadline in %v", timeout), err)
	}

	large := &pb.GetDeviceRequest{DeviceSerial: strings.Repeat("a", messageBytes)}
	_, err = devices.GetDevice(ctx, large)
	checks.refused("a message over 4 MiB", err, codes.ResourceExhausted, "LIMIT_EXCEEDED")

	var header, trailer metadata.MD
	_, err = devices.GetDevice(ctx, get, grpc.UseCompressor(gzip.Name), grpc.Header(&header), grpc.Trailer(&trailer))
	equal(checks, "a compressed message", status.Code(err), codes.Unimplemented)
	accepted := append(header.Get("grpc-accept-encoding"), trailer.Get("grpc-accept-encoding")...)
	equal(checks, "the encodings that are accepted", strings.Join(accepted, " "), "identity")
	_, err = devices.GetDevice(ctx, get)
	checks.need("the connection serves after that", err)
}

func grpcStreams(ctx context.Context, socket string, checks *checks) {
	conn, counted := grpcConnect(socket, checks)
	defer conn.Close()
	health := grpc_health_v1.NewHealthClient(conn)
	for index := range cancelledCount {
		watching, cancel := context.WithCancel(ctx)
		watch, err := health.Watch(watching, &grpc_health_v1.HealthCheckRequest{})
		checks.need("Watch", err)
		answer, err := watch.Recv()
		checks.need(fmt.Sprintf("the first message of watch %d", index), err)
		equal(checks, "health", answer.GetStatus(), serving)
		cancel()
		_, err = watch.Recv()
		equal(checks, "a cancelled watch", status.Code(err), codes.Canceled)
	}
	stream, err := grpc_reflection_v1.NewServerReflectionClient(conn).ServerReflectionInfo(ctx)
	checks.need("ServerReflectionInfo", err)
	reflects(checks, func(request *question) (*answer, error) {
		if err := stream.Send(request); err != nil {
			return nil, err
		}
		return stream.Recv()
	})
	checks.need("the end of the questions", stream.CloseSend())
	checkIns, err := pb.NewDevicesClient(conn).CheckInStream(ctx)
	checks.need("CheckInStream", err)
	checksIn(checks, grpcProject, checkIns)
	watching, stop := context.WithCancel(ctx)
	watch, err := pb.NewDevicesClient(conn).WatchDevices(watching)
	checks.need("WatchDevices", err)
	watches(checks, grpcProject, watch)
	checks.need("the end of the requests", watch.CloseSend())
	_, err = pb.NewDevicesClient(conn).CheckIn(ctx, &pb.CheckInRequest{Project: grpcProject, DeviceSerial: "GO:1"})
	checks.need("CheckIn beside a watch", err)
	event, err := watch.Recv()
	checks.need("an event after the end of the requests", err)
	equal(checks, "the device that changed", event.GetChanged().GetDevice().GetDeviceSerial(), "GO:1")
	stop()
	_, err = watch.Recv()
	equal(checks, "a cancelled watch", status.Code(err), codes.Canceled)
	equal(checks, "connections", counted.begun.Load(), 1)
}

// grpcLoad calls as fast as it can: the client sends a PING for almost every answer, to measure its bandwidth.
func grpcLoad(ctx context.Context, socket string, checks *checks) {
	conn, counted := grpcConnect(socket, checks)
	defer conn.Close()
	devices := pb.NewDevicesClient(conn)
	atOnce(ctx, checks, devicesOverGRPC{devices}, grpcProject)
	list := &pb.ListDevicesRequest{Project: grpcProject, PageSize: loadedPageCount}
	until := time.Now().Add(loadDuration)
	var answered atomic.Int64
	var group sync.WaitGroup
	for range loadGoroutines {
		group.Add(1)
		go func() {
			defer group.Done()
			for time.Now().Before(until) {
				page, err := devices.ListDevices(ctx, list)
				if err != nil || len(page.GetDevices()) != loadedPageCount {
					checks.that(fmt.Sprintf("a page under load (%v)", err), false)
					return
				}
				answered.Add(1)
			}
		}()
	}
	group.Wait()
	checks.that(fmt.Sprintf("%d calls were answered", answered.Load()), answered.Load() > loadGoroutines)
	equal(checks, "connections", counted.begun.Load(), 1)
}
