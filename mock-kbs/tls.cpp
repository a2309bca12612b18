// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/tls.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include "core/crypto/openssl/library.h"
#include "core/posix/describe.h"

namespace attestbed::kbs {
namespace {

using SslContext = openssl::Handle<SSL_CTX, SSL_CTX_free>;
using Ssl = openssl::Handle<SSL, SSL_free>;
using BioMethod = openssl::Handle<BIO_METHOD, BIO_meth_free>;

constexpr std::size_t kMaxPemOctets = 256 * 1024;

std::string last_reason() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  return reason == nullptr ? "an error without a reason" : verify::printable(reason, 120);
}

// OpenSSL's own socket BIO writes with write(2), which raises SIGPIPE where the peer has left.
int send_octets(BIO* bio, const char* from, int size) {
  BIO_clear_retry_flags(bio);
  const int socket = *static_cast<const int*>(BIO_get_data(bio));
  const ssize_t n = ::send(socket, from, static_cast<std::size_t>(size), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
  return static_cast<int>(n);
}

int receive_octets(BIO* bio, char* into, int size) {
  BIO_clear_retry_flags(bio);
  const int socket = *static_cast<const int*>(BIO_get_data(bio));
  const ssize_t n = ::recv(socket, into, static_cast<std::size_t>(size), MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
  return static_cast<int>(n);
}

long control(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BioMethod socket_method() {
  BioMethod method(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket without signals"));
  if (!method) return nullptr;
  BIO_meth_set_write(method.get(), send_octets);
  BIO_meth_set_read(method.get(), receive_octets);
  BIO_meth_set_ctrl(method.get(), control);
  return method;
}

class TlsChannel final : public http::Channel {
 public:
  TlsChannel(SSL_CTX* context, const BIO_METHOD* method, int socket) : socket_(socket), ssl_(SSL_new(context)) {
    BIO* const bio = method == nullptr ? nullptr : BIO_new(method);
    if (!ssl_ || bio == nullptr) {
      BIO_free(bio);
      ssl_.reset();
      return;
    }
    BIO_set_data(bio, &socket_);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_.get(), bio, bio);  // owns it now
    SSL_set_accept_state(ssl_.get());
  }

  ssize_t receive(int, char* into, std::size_t size, short& waits_for) override {
    std::size_t n = 0;
    return run([&] { return SSL_read_ex(ssl_.get(), into, size, &n); }, n, waits_for);
  }
  ssize_t send(int, const char* from, std::size_t size, short& waits_for) override {
    std::size_t n = 0;
    return run([&] { return SSL_write_ex(ssl_.get(), from, size, &n); }, n, waits_for);
  }
  bool pending() const override { return ssl_ && SSL_pending(ssl_.get()) > 0; }
  void end(int socket) override {
    const openssl::ErrorScope errors;
    if (ssl_ && SSL_is_init_finished(ssl_.get()) && !failed_) SSL_shutdown(ssl_.get());
    ::shutdown(socket, SHUT_WR);
  }
  std::string problem() const override { return problem_; }

 private:
  template <class Step>
  ssize_t run(Step step, const std::size_t& moved, short& waits_for) {
    if (!ssl_ || failed_) return 0;
    // SSL_get_error takes whatever is queued for its own.
    ERR_clear_error();
    const bool done = SSL_is_init_finished(ssl_.get());
    const int result = step();
    if (result == 1) return static_cast<ssize_t>(moved);
    const int error = SSL_get_error(ssl_.get(), result);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
      waits_for = error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
      return kAgain;
    }
    failed_ = error != SSL_ERROR_ZERO_RETURN;
    if (error == SSL_ERROR_SSL && !done) problem_ = last_reason();
    ERR_clear_error();
    return 0;
  }

  int socket_;
  Ssl ssl_;
  bool failed_ = false;
  std::string problem_;
};

Refusal wrong(const std::string& file, const char* expected) {
  return {Errc::bad_config, file, expected, last_reason()};
}

Checked<openssl::Bio> read_pem(const std::string& path) {
  Result<std::string> text = posix::read_file(path, kMaxPemOctets);
  if (!text) {
    return Refusal{Errc::bad_config, path, "a readable file of at most " + std::to_string(kMaxPemOctets) + " octets",
                   posix::describe(text.error())};
  }
  openssl::Bio bio(BIO_new(BIO_s_secmem()));
  if (bio) BIO_write(bio.get(), text->data(), static_cast<int>(text->size()));
  wipe({reinterpret_cast<std::uint8_t*>(text->data()), text->size()});
  if (!bio) return Refusal{Errc::internal, "BIO", "memory", "none"};
  return bio;
}

openssl::X509Handle next_certificate(BIO* bio) {
  openssl::X509Handle made(X509_new_ex(openssl::library_context(), nullptr));
  X509* certificate = made.get();
  if (PEM_read_bio_X509(bio, &certificate, nullptr, nullptr) == nullptr) {
    // A certificate that does not parse is freed by the failure; where there was none, it is still ours.
    if (certificate == nullptr) (void)made.release();
    return nullptr;
  }
  return made;
}

Checked<void> use_certificates(SSL_CTX* context, const std::string& path) {
  const openssl::Bio bio = TRY(read_pem(path));
  openssl::X509Handle certificate = next_certificate(bio.get());
  if (!certificate || SSL_CTX_use_certificate(context, certificate.get()) != 1) {
    return wrong(path, "a certificate in PEM");
  }
  while ((certificate = next_certificate(bio.get()))) {
    if (SSL_CTX_add1_chain_cert(context, certificate.get()) != 1) return wrong(path, "certificates in PEM");
  }
  return {};
}

// An encrypted key would have OpenSSL ask at the terminal.
int no_password(char*, int, int, void*) {
  return 0;
}

Checked<void> use_key(SSL_CTX* context, const TlsFiles& files) {
  const openssl::Bio bio = TRY(read_pem(files.key));
  const openssl::Key key(
      PEM_read_bio_PrivateKey_ex(bio.get(), nullptr, no_password, nullptr, openssl::library_context(), nullptr));
  if (!key) return wrong(files.key, "a private key in PEM, not encrypted");
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1) {
    return wrong(files.key, ("the key of the certificate in " + files.certificate).c_str());
  }
  return {};
}

Checked<void> demand_client(SSL_CTX* context, const std::string& path) {
  const openssl::Bio bio = TRY(read_pem(path));
  std::size_t roots = 0;
  while (const openssl::X509Handle root = next_certificate(bio.get())) {
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), root.get()) != 1 ||
        SSL_CTX_add_client_CA(context, root.get()) != 1) {
      return wrong(path, "certificates in PEM");
    }
    ++roots;
  }
  if (roots == 0) return wrong(path, "certificates in PEM");
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return {};
}

}  // namespace

struct TlsServer::Impl {
  SslContext context;
  BioMethod method;
};

TlsServer::TlsServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsServer::~TlsServer() = default;

Checked<std::unique_ptr<TlsServer>> TlsServer::load(const TlsFiles& files) {
  const openssl::ErrorScope errors;
  auto impl = std::make_unique<Impl>();
  impl->context.reset(SSL_CTX_new_ex(openssl::library_context(), nullptr, TLS_server_method()));
  impl->method = socket_method();
  SSL_CTX* const context = impl->context.get();
  if (context == nullptr || !impl->method) return Refusal{Errc::internal, "TLS", "OpenSSL's TLS", last_reason()};
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(
      context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context,
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  TRY(use_certificates(context, files.certificate));
  TRY(use_key(context, files));
  if (!files.client_ca.empty()) TRY(demand_client(context, files.client_ca));
  return std::unique_ptr<TlsServer>(new TlsServer(std::move(impl)));
}

std::unique_ptr<http::Channel> TlsServer::channel(int socket) const {
  return std::make_unique<TlsChannel>(impl_->context.get(), impl_->method.get(), socket);
}

}  // namespace attestbed::kbs
