// SPDX-License-Identifier: Apache-2.0
#include "fuzz/scripted_line.h"

#include <algorithm>
#include <cstring>

#include "core/base/wire.h"
#include "core/protocol/frame.h"
#include "fuzz/must.h"

namespace attestbed::fuzz {
namespace {

using namespace std::chrono_literals;

Result<std::size_t> number8(Reader& script) {
  const auto octet = TRY(script.copy<ByteArray<1>>("script"));
  return std::size_t{octet[0]};
}

Result<std::size_t> number16(Reader& script) {
  const le16 number = TRY(script.copy<le16>("script"));
  return std::size_t{number};
}

}  // namespace

ScriptedLine::WriteTrouble ScriptedLine::read_trouble(Reader& script) {
  const auto octets = script.copy<ByteArray<2>>("trouble");
  if (!octets) return {};
  return {.nth_call = (*octets)[0] % 8U, .delay = 100ms * ((*octets)[1] & 0x7f), .breaks = (*octets)[1] >= 0x80};
}

Result<std::size_t> ScriptedLine::read_some(MutBytes into, Deadline until) {
  must(until != kNever, "every read has a deadline");
  must(!into.empty(), "a read has room");
  const Result<std::size_t> got = read(into, until);
  if (!got) {
    read_failed_ = true;
    return got;
  }
  delivered_.insert(delivered_.end(), into.begin(), into.begin() + static_cast<std::ptrdiff_t>(*got));
  return got;
}

Result<std::size_t> ScriptedLine::read(MutBytes into, Deadline until) {
  while (true) {
    if (free_ > until || (silent_ && sent_ == pending_.size())) {
      clock_.wait_until(until);
      return Error{Errc::deadline, "ScriptedLine"};
    }
    clock_.wait_until(free_);
    if (sent_ < pending_.size()) {
      const std::size_t most = piece_ == 0 ? into.size() : std::min(into.size(), piece_);
      const std::size_t n = std::min(most, pending_.size() - sent_);
      std::memcpy(into.data(), pending_.data() + sent_, n);
      sent_ += n;
      free_ = clock_.now() + gap_;
      return n;
    }
    // A script that ends inside a step ends with the step before.
    if (closed_ || !step()) {
      closed_ = true;
      return Error{Errc::closed, "ScriptedLine"};
    }
  }
}

Status ScriptedLine::write_all(Bytes from, Deadline until) {
  must(until != kNever, "every write has a deadline");
  if (write_failed_) return Error{Errc::transport, "ScriptedLine"};
  writes_at_.push_back(delivered_.size());
  const bool slow = trouble_.nth_call != 0 && writes_at_.size() >= trouble_.nth_call;
  if (slow) clock_.wait_until(std::min(until, clock_.now() + trouble_.delay));
  const bool late = clock_.now() >= until;
  write_failed_ = late || (slow && trouble_.breaks);
  const std::size_t n = write_failed_ ? from.size() / 2 : from.size();
  written_.insert(written_.end(), from.begin(), from.begin() + static_cast<std::ptrdiff_t>(n));
  if (!write_failed_) return ok();
  return Error{late ? Errc::deadline : Errc::transport, "ScriptedLine"};
}

Status ScriptedLine::step() {
  const std::size_t kind = TRY(number8(script_));
  const auto what = static_cast<Step>(kind % kSteps);
  switch (what) {
    case Step::octets: {
      const std::size_t size = TRY(number8(script_));
      const Bytes octets = TRY(script_.take(size, "script"));
      pending_.assign(octets.begin(), octets.end());
      sent_ = 0;
      return ok();
    }
    case Step::pause: {
      const std::size_t tenths = TRY(number8(script_));
      free_ = clock_.now() + 100ms * tenths;
      return ok();
    }
    case Step::frame:
      return send_frame();
    case Step::pace: {
      piece_ = TRY(number8(script_));
      const std::size_t hundredths = TRY(number8(script_));
      gap_ = 10ms * hundredths;
      return ok();
    }
    case Step::close:
      closed_ = true;
      return ok();
    case Step::silence:
      silent_ = true;
      return ok();
    default:
      return prepare(what);
  }
}

Status ScriptedLine::prepare(Step what) {
  const std::size_t at = TRY(number16(script_));
  if (what == Step::cut) {
    cut_ = at;
    return ok();
  }
  const std::size_t operand = TRY(number8(script_));
  if (what == Step::edit) {
    edits_.push_back({at, static_cast<std::uint8_t>(operand)});
    return ok();
  }
  const std::size_t size = TRY(number8(script_));
  const Bytes octets = TRY(script_.take(size, "script"));
  splices_.push_back({at, operand, octets});
  return ok();
}

Status ScriptedLine::send_frame() {
  const std::size_t which = TRY(number8(script_));
  std::string body = make_(static_cast<std::uint8_t>(which), script_);
  for (const Splice& splice : splices_) {
    body.replace(splice.at % (body.size() + 1), splice.drop, text_of(splice.octets));
  }
  const le64 length(body.size());
  pending_.resize(sizeof length + body.size());
  std::memcpy(pending_.data(), &length, sizeof length);
  std::copy(body.begin(), body.end(), pending_.begin() + sizeof length);
  for (const Edit& edit : edits_) pending_[edit.at % pending_.size()] ^= edit.mask;
  if (cut_) pending_.resize(std::min(pending_.size(), *cut_));
  sent_ = 0;
  splices_.clear();
  edits_.clear();
  cut_.reset();
  return ok();
}

Frames frames_in(const Octets& stream) {
  Frames frames;
  Reader reader(stream);
  while (true) {
    Reader ahead = reader;
    const Result<le64> length = ahead.copy<le64>("length");
    const Result<Bytes> body = length ? ahead.take(static_cast<std::size_t>(*length), "body") : length.error();
    if (!body || body->empty() || body->size() > protocol::kMaxFrameBytes) {
      const Bytes rest = *reader.take(reader.left(), "rest");
      frames.rest.assign(rest.begin(), rest.end());
      return frames;
    }
    frames.bodies.emplace_back(text_of(*body));
    reader = ahead;
  }
}

}  // namespace attestbed::fuzz
