// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "core/base/base64.h"
#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/base/writer.h"

namespace attestbed {

/// Bounds of every JSON text that core reads. A legal message needs depth 3 and five members.
inline constexpr unsigned kMaxJsonDepth = 8;
inline constexpr unsigned kMaxJsonMembers = 24;

enum class JsonKind : std::uint8_t { object, array, string, number, boolean, null };

/// JsonReader pulls values out of an RFC 8259 text without allocating. Strings are unescaped in place, so it needs the
/// text writable and each part is read once. Every member of every object is checked for duplicates, also in values
/// that are skipped. Errors: bad_json (offset in `found`), json_depth, json_duplicate, json_type.
class JsonReader {
 public:
  explicit JsonReader(MutBytes text) : text_(text) {}

  /// kind looks at the next value without consuming it.
  Result<JsonKind> kind();

  /// Object and Array hold the state of one open container; their `next` is false at the end, which consumes the
  /// closing bracket. A value must be consumed before the next call.
  class Object {
   public:
    /// next moves to the next member and yields its name, unescaped; an empty optional at the end.
    Result<std::optional<std::string_view>> next() { return reader_->next_member(names_, count_); }

   private:
    friend class JsonReader;
    explicit Object(JsonReader& reader) : reader_(&reader) {}
    JsonReader* reader_;
    unsigned count_ = 0;
    std::array<std::string_view, kMaxJsonMembers> names_;  // the first count_ are set
  };
  class Array {
   public:
    Result<bool> next() { return reader_->next_element(first_); }

   private:
    friend class JsonReader;
    explicit Array(JsonReader& reader) : reader_(&reader) {}
    JsonReader* reader_;
    bool first_ = true;
  };
  Result<Object> object(const char* where);
  Result<Array> array(const char* where);
  /// string yields the unescaped text, a view into the reader's buffer that may be decoded in place.
  Result<MutBytes> string(const char* where);
  Result<bool> boolean(const char* where);
  /// unsigned_integer reads a number without sign, fraction and exponent; above `max` is bad_value.
  Result<std::uint64_t> unsigned_integer(std::uint64_t max, const char* where);
  Status null(const char* where);
  /// skip consumes any one value and checks its form, depth and duplicates.
  Status skip();
  /// done demands the end of the text; white space is allowed.
  Status done();

  /// base64 reads a string and decodes it in place; longer than `max` octets is too_large.
  Result<MutBytes> base64(Base64 alphabet, std::size_t max, const char* where);

 private:
  using Names = std::array<std::string_view, kMaxJsonMembers>;
  Error bad() const { return {Errc::bad_json, "JSON", at_, 0}; }
  void space();
  bool eat(char c);
  std::uint8_t peek() const { return at_ < text_.size() ? text_[at_] : std::uint8_t{0}; }
  Status enter(const char* where);
  Status literal(std::string_view word);
  Status number();
  Result<std::optional<std::string_view>> next_member(Names& names, unsigned& count);
  Result<bool> next_element(bool& first);
  Result<MutBytes> quoted();
  Result<std::size_t> unescape(std::size_t to);
  Result<std::size_t> utf8_sequence() const;
  Result<std::uint32_t> hex4();

  MutBytes text_;
  std::size_t at_ = 0;
  unsigned depth_ = 0;
};

/// JsonWriter emits compact JSON into a Writer. Names are trusted literals; strings are escaped.
class JsonWriter {
 public:
  explicit JsonWriter(Writer& out) : out_(out) {}
  void begin_object() { open('{'); }
  void end_object() { close('}'); }
  void begin_array() { open('['); }
  void end_array() { close(']'); }
  void name(std::string_view literal);
  void string(std::string_view text);
  void base64(Base64 alphabet, Bytes octets);
  void number(std::uint64_t value);
  void boolean(bool value);
  void null();

 private:
  void open(char bracket);
  void close(char bracket);
  void separate();

  Writer& out_;
  bool comma_ = false;
};

}  // namespace attestbed
