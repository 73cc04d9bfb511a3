// An OTLP backend that answers according to a script, with the Collector's own pdata, gRPC and net/http: it gives
// tests the answers of an independent server that a Collector does not give on demand.
//
// Usage: otlp-answers [ANSWER...]
//
// An answer is `ok`, `partial=N` (N points rejected) or a status of gRPC or HTTP, optionally with the time to
// wait: `8`, `8+500ms`, `429+1s`. After the last one everything is accepted.
//
// It prints the addresses, then each request as a line: its answer, and the request as OTLP JSON.
package main

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	_ "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

type backend struct {
	pmetricotlp.UnimplementedGRPCServer
	mutex  sync.Mutex
	script []string
}

// next returns the next answer of the script and prints the request.
func (b *backend) next(request pmetricotlp.ExportRequest) string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	answer := "ok"
	if len(b.script) > 0 {
		answer, b.script = b.script[0], b.script[1:]
	}
	metrics, err := request.MarshalJSON()
	if err != nil {
		panic(err)
	}
	print(map[string]any{"answer": answer, "at": time.Now().UnixMilli(), "request": json.RawMessage(metrics)})
	return answer
}

func (b *backend) Export(_ context.Context, request pmetricotlp.ExportRequest) (pmetricotlp.ExportResponse, error) {
	answer := b.next(request)
	code, wait := parse(answer)
	if code == 0 {
		return respond(answer), nil
	}
	failure := status.New(codes.Code(code), "as the script says")
	if wait > 0 {
		failure, _ = failure.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(wait)})
	}
	return pmetricotlp.NewExportResponse(), failure.Err()
}

func (b *backend) ServeHTTP(writer http.ResponseWriter, incoming *http.Request) {
	request, err := read(incoming)
	if err != nil {
		http.Error(writer, err.Error(), http.StatusBadRequest)
		return
	}
	answer := b.next(request)
	code, wait := parse(answer)
	if code != 0 {
		if wait > 0 {
			writer.Header().Set("Retry-After", strconv.Itoa(int(wait.Seconds())))
		}
		http.Error(writer, "as the script says", code)
		return
	}
	bytes, _ := respond(answer).MarshalProto()
	writer.Header().Set("Content-Type", "application/x-protobuf")
	_, _ = writer.Write(bytes)
}

func read(incoming *http.Request) (pmetricotlp.ExportRequest, error) {
	request := pmetricotlp.NewExportRequest()
	var body io.Reader = incoming.Body
	if incoming.Header.Get("Content-Encoding") == "gzip" {
		unpacked, err := gzip.NewReader(body)
		if err != nil {
			return request, err
		}
		body = unpacked
	}
	bytes, err := io.ReadAll(body)
	if err != nil {
		return request, err
	}
	return request, request.UnmarshalProto(bytes)
}

// parse returns the status, 0 for success, and the wait of an answer.
func parse(answer string) (int, time.Duration) {
	number, after, _ := strings.Cut(answer, "+")
	code, err := strconv.Atoi(number)
	if err != nil {
		return 0, 0
	}
	wait, _ := time.ParseDuration(after)
	return code, wait
}

func respond(answer string) pmetricotlp.ExportResponse {
	response := pmetricotlp.NewExportResponse()
	if rejected, isPartial := strings.CutPrefix(answer, "partial="); isPartial {
		points, _ := strconv.ParseInt(rejected, 10, 64)
		response.PartialSuccess().SetRejectedDataPoints(points)
		response.PartialSuccess().SetErrorMessage("too old")
	}
	return response
}

func print(line any) {
	bytes, err := json.Marshal(line)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(bytes))
}

func listen() net.Listener {
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		panic(err)
	}
	return listener
}

func main() {
	backend := &backend{script: os.Args[1:]}
	grpcListener, httpListener := listen(), listen()
	print(map[string]string{"grpc": grpcListener.Addr().String(), "http": httpListener.Addr().String()})
	server := grpc.NewServer()
	pmetricotlp.RegisterGRPCServer(server, backend)
	go func() { panic(server.Serve(grpcListener)) }()
	panic(http.Serve(httpListener, backend))
}
