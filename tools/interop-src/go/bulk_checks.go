package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"

	"google.golang.org/grpc/codes"

	pb "rollcall.test/interop/rollcallpb"
)

const (
	bulkItemCount    = 3_000
	bulkMessageItems = 400
	bulkBadItem      = 1_234
)

// importStream is what both clients have of an import.
type importStream interface {
	Send(*pb.ImportDevicesRequest) error
	Recv() (*pb.ImportDevicesResponse, error)
	CloseSend() error
}

// exportStream is what both clients have of an export.
type exportStream interface {
	Recv() (*pb.ExportDevicesResponse, error)
}

// bulkCalls is what both clients can do with many devices.
type bulkCalls struct {
	imports func() (importStream, error)
	exports func(*pb.ExportDevicesRequest) (exportStream, error)
}

// backupStream is what both clients have of a backup.
type backupStream interface {
	Recv() (*pb.BackupResponse, error)
}

func ttrpcBulk(ctx context.Context, socket string, checks *checks) {
	client := ttrpcConnect(socket, checks)
	defer client.Close()
	devices := pb.NewTTRPCDevicesClient(client)
	movesDevices(ttrpcProject, checks, bulkCalls{
		func() (importStream, error) { return devices.ImportDevices(ctx) },
		func(request *pb.ExportDevicesRequest) (exportStream, error) { return devices.ExportDevices(ctx, request) },
	})
	stream, err := pb.NewTTRPCServerClient(client).Backup(ctx, &pb.BackupRequest{})
	checks.need("Backup", err)
	backsUp(checks, stream)
}

func grpcBulk(ctx context.Context, socket string, checks *checks) {
	conn, _ := grpcConnect(socket, checks)
	defer conn.Close()
	devices := pb.NewDevicesClient(conn)
	movesDevices(grpcProject, checks, bulkCalls{
		func() (importStream, error) { return devices.ImportDevices(ctx) },
		func(request *pb.ExportDevicesRequest) (exportStream, error) { return devices.ExportDevices(ctx, request) },
	})
	stream, err := pb.NewServerClient(conn).Backup(ctx, &pb.BackupRequest{})
	checks.need("Backup", err)
	backsUp(checks, stream)
}

// backsUp holds a copy of the store against its summary.
func backsUp(checks *checks, stream backupStream) {
	digest, size := sha256.New(), int64(0)
	for {
		part, err := stream.Recv()
		checks.need("a part of a backup", err)
		equal(checks, "position in a backup", part.GetPosition(), size)
		digest.Write(part.GetData())
		size += int64(len(part.GetData()))
		summary := part.GetSummary()
		if summary == nil {
			continue
		}
		checks.that("a backup's SHA-256", bytes.Equal(summary.GetSha256(), digest.Sum(nil)))
		equal(checks, "a backup's size", summary.GetBytes(), size)
		equal(checks, "a backup's size in its parts", part.GetTotalBytes(), size)
		break
	}
	_, err := stream.Recv()
	checks.that(fmt.Sprintf("the end of a backup: %v", err), errors.Is(err, io.EOF))
}

// movesDevices imports devices, one of which is bad, and exports them again.
func movesDevices(project string, checks *checks, calls bulkCalls) {
	stream, err := calls.imports()
	checks.need("ImportDevices", err)
	var items []*pb.ImportItem
	for index := range bulkItemCount {
		item := &pb.ImportItem{Device: &pb.Device{
			DeviceSerial: fmt.Sprintf("bulk-%04d", index), OwnerRef: "Ada", HardwareVersion: "hw",
			Cohort: &pb.Cohort{Slug: "bulk"},
		}, CreateCohort: true}
		if index == bulkBadItem-1 {
			item.Device.HardwareVersion = ""
		}
		items = append(items, item)
	}
	first := &pb.ImportDevicesRequest{Project: project}
	checks.need("the settings", stream.Send(first))
	for start := 0; start < len(items); start += bulkMessageItems {
		part := items[start:min(len(items), start+bulkMessageItems)]
		checks.need("a message of items", stream.Send(&pb.ImportDevicesRequest{Items: part}))
	}
	checks.need("the end of the items", stream.CloseSend())
	var last *pb.ImportDevicesResponse
	var failures []*pb.ImportFailure
	for {
		progress, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		checks.need("progress", err)
		checks.that("progress only grows", progress.GetAcceptedThrough() >= last.GetAcceptedThrough())
		last = progress
		if !progress.GetDone() {
			failures = append(failures, progress.GetFailures()...)
		}
	}
	checks.same("the summary", last, &pb.ImportDevicesResponse{
		AcceptedThrough: bulkItemCount, Created: bulkItemCount - 1, Failed: 1, Failures: failures, Done: true,
	})
	equal(checks, "failures", len(failures), 1)
	equal(checks, "the failure's position", failures[0].GetPosition(), int64(bulkBadItem))
	equal(checks, "the failure's code", codes.Code(failures[0].GetStatus().GetCode()), codes.InvalidArgument)

	export, err := calls.exports(&pb.ExportDevicesRequest{Project: project, Cohort: []string{"bulk"}})
	checks.need("ExportDevices", err)
	var serials []string
	for {
		message, err := export.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		checks.need("a message of devices", err)
		checks.that("a message holds a device", len(message.GetDevices()) > 0)
		for _, device := range message.GetDevices() {
			serials = append(serials, device.GetDeviceSerial())
		}
	}
	equal(checks, "devices", len(serials), bulkItemCount-1)
	checks.that("they come by id, in the order of the import", slices.IsSorted(serials))

	refused, err := calls.exports(&pb.ExportDevicesRequest{Project: "absent"})
	if err == nil {
		_, err = refused.Recv()
	}
	checks.refused("a project that is not there", err, codes.NotFound, "PROJECT_NOT_FOUND")
}
