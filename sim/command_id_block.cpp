// SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include "core/posix/describe.h"
#include "sim/commands.h"
#include "sim/id_block.h"

namespace attestbed::sim {
namespace {

constexpr std::size_t kMaxPemBytes = 64 * 1024;

Outcome<SigningKey> read_key(const SigningKey::Context& context, const std::string& path) {
  Result<std::string> text = posix::read_file(path, kMaxPemBytes);
  if (!text) return failure_at(path, text.error());
  Result<SigningKey> key = SigningKey::from_pem(context, *text);
  wipe({reinterpret_cast<std::uint8_t*>(text->data()), text->size()});
  if (!key) return failure_at(path, key.error());
  if (!key->is_p384()) return Failure{Errc::bad_value, path + ": expected a P-384 private key, found RSA"};
  return *std::move(key);
}

Outcome<SignedIdBlock> make(const IdBlockOptions& options) {
  const auto context = CryptoContext::make(std::nullopt);
  if (!context) return failure_at("OpenSSL", context.error());
  const SigningKey id_key = TRY(read_key(*context, options.id_key));
  std::optional<SigningKey> author_key;
  if (!options.author_key.empty()) author_key = TRY(read_key(*context, options.author_key));
  const auto made = make_id_block(options.block, id_key, author_key ? &*author_key : nullptr);
  if (!made) return failure_at("ID block", made.error());
  return *made;
}

Outcome<void> make_and_write(const IdBlockOptions& options) {
  const SignedIdBlock made = TRY(make(options));
  const auto id_digest = digest_of(made.auth.id_key);
  const auto author_digest = digest_of(made.auth.author_key);
  if (!id_digest) return failure_at("ID key", id_digest.error());
  if (!author_digest) return failure_at("author key", author_digest.error());
  TRY(write_public_file(options.out_block, octets_of(made.block)));
  TRY(write_public_file(options.out_auth, octets_of(made.auth)));
  std::cout << "wrote " << options.out_block << " and " << options.out_auth << "\n"
            << "id_key_digest " << posix::to_hex(*id_digest) << "\n";
  if (made.author_key_enabled) std::cout << "author_key_digest " << posix::to_hex(*author_digest) << "\n";
  return {};
}

}  // namespace

int run_id_block(const IdBlockOptions& options) {
  const Outcome<void> done = make_and_write(options);
  return done ? 0 : fail(done.error());
}

}  // namespace attestbed::sim
