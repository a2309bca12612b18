// SPDX-License-Identifier: Apache-2.0
#include "core/crypto/ecdh.h"

#include <gtest/gtest.h>

#include "core/crypto/openssl/vectors.h"

namespace attestbed::crypto {
namespace {

// Two key pairs and what they share, from published standards.
struct Exchange {
  const char* name;
  Curve curve;
  std::string_view d, x, y, peer_d, peer_x, peer_y, z;
};
constexpr Exchange kExchanges[] = {
    {"Rfc5903Section81", Curve::p256, "c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433",
     "dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c3772581180",
     "5271a0461cdb8252d61f1c456fa3e59ab1f45b33accf5f58389e0577b8990bb3",
     "c6ef9c5d78ae012a011164acb397ce2088685d8f06bf9be0b283ab46476bee53",
     "d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63",
     "56fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab",
     "d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de"},
    {"Rfc5903Section83", Curve::p521,
     "0037ade9319a89f4dabdb3ef411aaccca5123c61acab57b5393dce47608172a0"
     "95aa85a30fe1c2952c6771d937ba9777f5957b2639bab072462f68c27a57382d4a52",
     "0015417e84dbf28c0ad3c278713349dc7df153c897a1891bd98bab4357c9ecbe"
     "e1e3bf42e00b8e380aeae57c2d107564941885942af5a7f4601723c4195d176ced3e",
     "017cae20b6641d2eeb695786d8c946146239d099e18e1d5a514c739d7cb4a10a"
     "d8a788015ac405d7799dc75e7b7d5b6cf2261a6a7f1507438bf01beb6ca3926f9582",
     "0145ba99a847af43793fdd0e872e7cdfa16be30fdc780f97bccc3f078380201e"
     "9c677d600b343757a3bdbf2a3163e4c2f869cca7458aa4a4effc311f5cb151685eb9",
     "00d0b3975ac4b799f5bea16d5e13e9af971d5e9b984c9f39728b5e5739735a21"
     "9b97c356436adc6e95bb0352f6be64a6c2912d4ef2d0433ced2b6171640012d9460f",
     "015c68226383956e3bd066e797b623c27ce0eac2f551a10c2c724d9852077b87"
     "220b6536c5c408a1d2aebb8e86d678ae49cb57091f4732296579ab44fcd17f0fc56a",
     "01144c7d79ae6956bc8edb8e7c787c4521cb086fa64407f97894e5e6b2d79b04"
     "d1427e73ca4baa240a34786859810c06b3c715a3a8cc3151f2bee417996d19f3ddea"},
    {"Rfc7518AppendixC", Curve::p256, "d3f3716913d4310a0026de741b3f18893afc8114f0c84682ba677e313a13988a",
     "808d060082c176eed3e776a4ac598cc8672c1779f974eecc9b03411ca5b9495d",
     "48b5bfc527dfce53d6ac7115237d031ccff87a0570b77350a9e503ee7305a69b",
     "5449836690d75caf29f0dd029ddb31b3ddb8aba9d2d515c5012465e817d4a9dc",
     "c1e349cb61ec70248ce801034c3834e1b88ebe1161cb25af38741f785fcfc4c4",
     "7bc96708ef80952b53f8d2555fe72b841ed04588628b1d378a594939500ec9c9",
     "9e56d91d817135d372834283bf84269cfb316ea3da806a48f6daa7798cfe90c4"},
};

class Ecdh : public testing::TestWithParam<Exchange> {};

TEST_P(Ecdh, ScalarGivesThePublishedPoint) {
  const Exchange& e = GetParam();
  EcKey key, peer;
  ASSERT_TRUE(key.set(e.curve, unhex(e.d)));
  ASSERT_TRUE(peer.set(e.curve, unhex(e.peer_d)));
  EXPECT_EQ(hex(key.point().x()), e.x);
  EXPECT_EQ(hex(key.point().y()), e.y);
  EXPECT_EQ(hex(peer.point().x()), e.peer_x);
  EXPECT_EQ(hex(peer.point().y()), e.peer_y);
}

TEST_P(Ecdh, BothSidesGetThePublishedSecret) {
  const Exchange& e = GetParam();
  EcKey key, peer;
  ASSERT_TRUE(key.set(e.curve, unhex(e.d)));
  ASSERT_TRUE(peer.set(e.curve, unhex(e.peer_d)));
  EcSharedSecret z;
  ASSERT_TRUE(ecdh(key, unhex_point(e.curve, e.peer_x, e.peer_y), z));
  EXPECT_EQ(hex(z.expose()), e.z);
  ASSERT_TRUE(ecdh(peer, unhex_point(e.curve, e.x, e.y), z));
  EXPECT_EQ(hex(z.expose()), e.z);
}

INSTANTIATE_TEST_SUITE_P(Standards, Ecdh, testing::ValuesIn(kExchanges), [](const auto& i) { return i.param.name; });

// SEC 2: generator, order and field prime; y0 is a root of b, so (0, y0) is on the curve (computed with Python's pow).
struct Domain {
  const char* name;
  Curve curve;
  std::string_view gx, gy, n, p, y0;
};
constexpr Domain kDomains[] = {
    {"P256", Curve::p256, "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
     "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
     "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
     "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
     "66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4"},
    {"P521", Curve::p521,
     "00c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d"
     "3dbaa14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd66",
     "011839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e"
     "662c97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd16650",
     "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
     "fffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
     "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
     "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
     "012df13601594a883ef2d935e44bb90bf4d6619b74e52af7552f97769011c0719"
     "eb439cfab2a88d40fe59a2bed1f43557169a2d0a2ccd280c607b92bbf51ffe0b078"},
};

/// minus is a - b, big-endian, for a >= b of equal width.
Octets minus(Octets a, const Octets& b) {
  int borrow = 0;
  for (std::size_t i = a.size(); i-- > 0;) {
    const int difference = a[i] - b[i] - borrow;
    borrow = difference < 0 ? 1 : 0;
    a[i] = static_cast<std::uint8_t>(difference & 0xff);
  }
  return a;
}

class Scalar : public testing::TestWithParam<Domain> {
 protected:
  Octets number(std::uint8_t value) const {
    Octets octets(coordinate_bytes(GetParam().curve), 0);
    octets.back() = value;
    return octets;
  }
  Octets n() const { return unhex(GetParam().n); }

  void expect_refused(const Octets& scalar) {
    EcKey key;
    const Status set = key.set(GetParam().curve, scalar);
    ASSERT_FALSE(set);
    EXPECT_EQ(set.error().code, Errc::bad_value);
  }
};

TEST_P(Scalar, OneIsTheGenerator) {
  EcKey key;
  ASSERT_TRUE(key.set(GetParam().curve, number(1)));
  EXPECT_EQ(hex(key.point().x()), GetParam().gx);
  EXPECT_EQ(hex(key.point().y()), GetParam().gy);
}

TEST_P(Scalar, LastIsTheNegativeGenerator) {
  EcKey key;
  ASSERT_TRUE(key.set(GetParam().curve, minus(n(), number(1))));
  EXPECT_EQ(hex(key.point().x()), GetParam().gx);
  EXPECT_EQ(hex(key.point().y()), hex(minus(unhex(GetParam().p), unhex(GetParam().gy))));
  EcSharedSecret z;
  ASSERT_TRUE(ecdh(key, unhex_point(GetParam().curve, GetParam().gx, GetParam().gy), z));
  EXPECT_EQ(hex(z.expose()), GetParam().gx);
}

TEST_P(Scalar, ZeroIsRefused) {
  expect_refused(number(0));
}

TEST_P(Scalar, OrderIsRefused) {
  expect_refused(n());
}

TEST_P(Scalar, OrderPlusOneIsRefused) {
  Octets scalar = n();
  scalar.back() += 1;
  expect_refused(scalar);
}

TEST_P(Scalar, AllOnesAreRefused) {
  expect_refused(Octets(coordinate_bytes(GetParam().curve), 0xff));
}

TEST_P(Scalar, OtherWidthsAreRefused) {
  for (const int by : {-1, 1}) {
    Octets scalar(coordinate_bytes(GetParam().curve) + static_cast<std::size_t>(by), 0);
    scalar.back() = 1;
    EcKey key;
    const Status set = key.set(GetParam().curve, scalar);
    ASSERT_FALSE(set);
    EXPECT_EQ(set.error().code, Errc::bad_length);
    EXPECT_EQ(set.error().found, scalar.size());
  }
}

TEST_P(Scalar, NoneYetIsRefused) {
  const EcKey empty;
  EcSharedSecret z;
  const Curve curve = empty.curve();
  const Domain& domain = kDomains[curve == Curve::p256 ? 0 : 1];
  const Status shared = ecdh(empty, unhex_point(curve, domain.gx, domain.gy), z);
  ASSERT_FALSE(shared);
  EXPECT_EQ(shared.error().code, Errc::bad_value);
  EXPECT_EQ(z.size(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Curves, Scalar, testing::ValuesIn(kDomains), [](const auto& i) { return i.param.name; });

class Point : public testing::TestWithParam<Domain> {
 protected:
  void expect_refused(const Octets& x, const Octets& y) {
    const Curve curve = GetParam().curve;
    const Result<EcPoint> point = EcPoint::make(curve, x, y, "test");
    ASSERT_TRUE(point);
    const Status checked = ec_check(*point);
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().code, Errc::bad_point);

    Octets scalar(coordinate_bytes(curve), 0);
    scalar.back() = 2;
    EcKey key;
    ASSERT_TRUE(key.set(curve, scalar));
    EcSharedSecret z;
    std::ranges::fill(z.expose_mut(z.capacity()), std::uint8_t{0xaa});
    const Status shared = ecdh(key, *point, z);
    ASSERT_FALSE(shared);
    EXPECT_EQ(shared.error().code, Errc::bad_point);
    EXPECT_EQ(z.size(), 0U) << "an earlier secret must not look like this one's";
  }
  Octets zero() const { return Octets(coordinate_bytes(GetParam().curve), 0); }
};

TEST_P(Point, GeneratorIsAccepted) {
  EXPECT_TRUE(ec_check(unhex_point(GetParam().curve, GetParam().gx, GetParam().gy)));
}

TEST_P(Point, WithXZeroIsAccepted) {
  EXPECT_TRUE(ec_check(unhex_point(GetParam().curve, hex(zero()), GetParam().y0)));
}

TEST_P(Point, OffTheCurveIsRefused) {
  Octets y = unhex(GetParam().gy);
  y.back() ^= 0x01;
  expect_refused(unhex(GetParam().gx), y);
}

TEST_P(Point, SwappedCoordinatesAreRefused) {
  expect_refused(unhex(GetParam().gy), unhex(GetParam().gx));
}

TEST_P(Point, InfinityIsRefused) {
  expect_refused(zero(), zero());
}

// Reduced modulo p this is the accepted point above, so only the range check can refuse it.
TEST_P(Point, XOfThePrimeIsRefused) {
  expect_refused(unhex(GetParam().p), unhex(GetParam().y0));
}

TEST_P(Point, WrongWidthsAreRefused) {
  const Octets x = unhex(GetParam().gx), y = unhex(GetParam().gy);
  for (const int by : {-1, 1}) {
    Octets wrong(x.size() + static_cast<std::size_t>(by), 0);
    for (const Result<EcPoint>& point :
         {EcPoint::make(GetParam().curve, wrong, y, "x"), EcPoint::make(GetParam().curve, x, wrong, "y")}) {
      ASSERT_FALSE(point);
      EXPECT_EQ(point.error().code, Errc::bad_length);
      EXPECT_EQ(point.error().found, wrong.size());
      EXPECT_EQ(point.error().expected, x.size());
    }
  }
}

TEST_P(Point, OfTheOtherCurveIsRefused) {
  const Domain& other = kDomains[GetParam().curve == Curve::p256 ? 1 : 0];
  Octets scalar(coordinate_bytes(other.curve), 0);
  scalar.back() = 1;
  EcKey key;
  ASSERT_TRUE(key.set(other.curve, scalar));
  EcSharedSecret z;
  const Status shared = ecdh(key, unhex_point(GetParam().curve, GetParam().gx, GetParam().gy), z);
  ASSERT_FALSE(shared);
  EXPECT_EQ(shared.error().code, Errc::bad_value);
}

INSTANTIATE_TEST_SUITE_P(Curves, Point, testing::ValuesIn(kDomains), [](const auto& i) { return i.param.name; });

TEST(Point521, YAboveThePrimeIsRefused) {
  // 66 octets hold more than 521 bits, so gy + p fits: the same point modulo p.
  Octets y = unhex(kDomains[1].gy);
  const Octets p = unhex(kDomains[1].p);
  unsigned carry = 0;
  for (std::size_t i = y.size(); i-- > 0;) {
    carry += static_cast<unsigned>(y[i]) + p[i];
    y[i] = static_cast<std::uint8_t>(carry & 0xff);
    carry >>= 8;
  }
  ASSERT_EQ(carry, 0U);
  const Status checked = ec_check(*EcPoint::make(Curve::p521, unhex(kDomains[1].gx), y, "test"));
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, Errc::bad_point);
}

}  // namespace
}  // namespace attestbed::crypto
