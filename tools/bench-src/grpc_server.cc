// Answers every GetDevice over gRPC with fixed bytes: the least that a server written with gRPC for C++ does.
//
//   grpc_server SOCKET REPLY_BYTES callback|async
//
// A request's message is received whole and is not decoded; a reply is made once, and shared. The method is registered
// by hand as generated code registers one, unary and of raw bytes: of the ways to serve it, the two that were fastest.
// Neither is so everywhere. With callbacks some seven replies share a write, but a call crosses threads; one thread on
// one completion queue writes each reply by itself, and answers a lone call in little more than half the time. More
// queues and threads help neither a lone call nor many connections, and the generic services, for which every call is a
// stream, are slower than both. Probing for bandwidth is off, because it costs PINGs; whatever makes a call a call of
// gRPC, such as deadlines, is left on.

#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/server_callback_handlers.h>
#include <grpcpp/support/async_unary_call.h>

#include <cstdio>
#include <memory>
#include <string>

namespace {

constexpr char method_path[] = "/rollcall.v1.Devices/GetDevice";
constexpr int calls_awaited = 256;

grpc::ByteBuffer reply;

class DevicesService : public grpc::Service {
public:
    DevicesService() {
        AddMethod(new grpc::internal::RpcServiceMethod(method_path, grpc::internal::RpcMethod::NORMAL_RPC, nullptr));
    }
};

class CallbackService : public DevicesService {
public:
    CallbackService() {
        using Handler = grpc::internal::CallbackUnaryHandler<grpc::ByteBuffer, grpc::ByteBuffer>;
        MarkMethodRawCallback(0, new Handler(answer));
    }

private:
    static grpc::ServerUnaryReactor* answer(grpc::CallbackServerContext* context, const grpc::ByteBuffer*,
                                            grpc::ByteBuffer* answer) {
        *answer = reply;
        grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
        reactor->Finish(grpc::Status::OK);
        return reactor;
    }
};

class AsyncService : public DevicesService {
public:
    AsyncService() { MarkMethodRaw(0); }
    using Service::RequestAsyncUnary;
};

struct AsyncCall {
    grpc::ServerContext context;
    grpc::ByteBuffer request;
    grpc::ServerAsyncResponseWriter<grpc::ByteBuffer> writer{&context};
    bool is_answered = false;
};

void await_call(AsyncService& service, grpc::ServerCompletionQueue* queue) {
    auto* call = new AsyncCall;
    service.RequestAsyncUnary(0, &call->context, &call->request, &call->writer, queue, queue, call);
}

void serve_queue(AsyncService& service, grpc::ServerCompletionQueue* queue) {
    for (int i = 0; i < calls_awaited; i++) await_call(service, queue);
    void* tag;
    bool is_ok;
    while (queue->Next(&tag, &is_ok)) {
        auto* call = static_cast<AsyncCall*>(tag);
        if (call->is_answered || !is_ok) {
            delete call;
            continue;
        }
        await_call(service, queue);
        call->is_answered = true;
        call->writer.Finish(reply, grpc::Status::OK, call);
    }
}

void prepare(grpc::ServerBuilder& builder, const std::string& socket, grpc::Service& service) {
    builder.AddListeningPort("unix:" + socket, grpc::InsecureServerCredentials());
    builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
    builder.RegisterService(&service);
}

}  // namespace

int main(int argc, char** argv) {
    const std::string way = argc == 4 ? argv[3] : "";
    if (way != "callback" && way != "async") {
        std::fputs("usage: grpc_server SOCKET REPLY_BYTES callback|async\n", stderr);
        return 2;
    }
    const grpc::Slice bytes(std::string(std::stoul(argv[2]), 'x'));
    reply = grpc::ByteBuffer(&bytes, 1);

    grpc::ServerBuilder builder;
    if (way == "callback") {
        CallbackService service;
        prepare(builder, argv[1], service);
        if (std::unique_ptr<grpc::Server> server = builder.BuildAndStart()) server->Wait();
    } else {
        AsyncService service;
        prepare(builder, argv[1], service);
        std::unique_ptr<grpc::ServerCompletionQueue> queue = builder.AddCompletionQueue();
        if (std::unique_ptr<grpc::Server> server = builder.BuildAndStart()) serve_queue(service, queue.get());
    }
    return 1;  // It is ended from outside, or could not start.
}
