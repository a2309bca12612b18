// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/serving.h"

#include "http-server/http_stream.h"
#include "mock-kbs/admin.h"
#include "mock-kbs/parity.h"

namespace attestbed::kbs {
namespace {

// An owner has a few connections; a page that polls and a script beside it are two.
constexpr HttpLimits kAdminLimits{.connections = 16};

}  // namespace

struct Serving::Impl {
  Response answer(const Request& request) {
    const auto broken = [this](const Request& one) { return faults.handle(broker, one); };
    return kbs_test ? serve_as_kbs_test(request, broken) : broken(request);
  }

  Broker& broker;
  ListenAddress listen;
  bool tls = false;
  FaultInjector faults{};
  Metrics metrics{};
  std::optional<Admin> admin{};
  ListenAddress admin_listen{};
  bool kbs_test = false;
  // Last, so that they stop before what they serve ends.
  std::unique_ptr<Server> server{}, admin_server{};
};

Checked<std::unique_ptr<Serving>> Serving::start(Broker& broker, const Config& config) {
  auto impl = std::unique_ptr<Impl>(new Impl{.broker = broker, .listen = config.listen});
  Impl* const parts = impl.get();
  parts->kbs_test = config.service.kbs_test;
  parts->faults.set(config.service.faults);
  Service service{.handle =
                      [parts](const Request& request) {
                        return parts->metrics.serve(request,
                                                    [parts](const Request& one) { return parts->answer(one); });
                      },
                  .audit = write_audit,
                  .greet = [parts] { return parts->faults.greet(); }};
  if (config.service.tls) {
    service.tls = TRY(TlsServer::load(*config.service.tls));
    parts->tls = true;
  }
  if (config.service.admin) {
    parts->admin_listen = config.service.admin->listen;
    parts->admin.emplace(Admin::Parts{.broker = broker,
                                      .faults = parts->faults,
                                      .metrics = parts->metrics,
                                      .configured_faults = config.service.faults,
                                      .token = config.service.admin->token});
    Service owners{.handle = [parts](const Request& request) { return parts->admin->handle(request); },
                   .audit = write_audit,
                   .explain = [](const Refusal& why) { return encode_refusal("Request", why); }};
    parts->admin_server = TRY(Server::start(std::move(owners), parts->admin_listen, kAdminLimits));
  }
  parts->server = TRY(Server::start(std::move(service), config.listen, {}));
  return std::unique_ptr<Serving>(new Serving(std::move(impl)));
}

Serving::Serving(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Serving::~Serving() {
  stop();
}

std::string Serving::announcement() const {
  std::string text =
      std::string("ready ") + (impl_->tls ? "https://" : "http://") + impl_->listen.authority(port()) + "\n";
  if (impl_->admin) text += "admin http://" + impl_->admin_listen.authority(admin_port()) + "\n";
  return text;
}

std::uint16_t Serving::port() const {
  return impl_->server->port();
}
std::uint16_t Serving::admin_port() const {
  return impl_->admin_server ? impl_->admin_server->port() : std::uint16_t{0};
}
int Serving::ended_fd() const {
  return impl_->server->ended_fd();
}
int Serving::admin_ended_fd() const {
  return impl_->admin_server ? impl_->admin_server->ended_fd() : -1;
}

void Serving::stop() {
  impl_->server->stop();
  if (impl_->admin_server) impl_->admin_server->stop();
}

}  // namespace attestbed::kbs
