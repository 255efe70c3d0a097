#include "net/tls.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "net/certificates.hpp"

namespace shop::net {
namespace {

using testing::HasSubstr;

Instant now() { return {std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count()}; }
Validity around_now() { return {now() - minutes(5), now() + hours(1)}; }

class TlsFilesTest : public testing::Test {
 protected:
  TlsFilesTest() {
    std::string name = (std::filesystem::temp_directory_path() / "tls-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    authority_ = make_authority(around_now()).value();
    write("ca.pem", authority_.certificate);
    put(issue_certificate(authority_, "cart-service", around_now()).value());
  }
  ~TlsFilesTest() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(path(name + ".part")) << text;
    std::filesystem::rename(path(name + ".part"), path(name));
  }
  void put(const Certified& own) {
    write("key.pem", own.key);
    write("cert.pem", own.certificate);
  }
  TlsFiles files() const { return {path("cert.pem"), path("key.pem"), path("ca.pem")}; }
  std::string said(const std::string& service = "cart-service") const {
    try {
      Tls(files(), service);
      return {};
    } catch (const std::runtime_error& error) {
      return error.what();
    }
  }

  std::filesystem::path folder_;
  Certified authority_;
};

TEST(Identity, OneFormOnly) {
  EXPECT_EQ(service_of_identity("spiffe://shop/cart-service"), "cart-service");
  EXPECT_EQ(service_of_identity(identity_uri("a")), "a");
  for (const std::string_view wrong :
       {"", "cart-service", "spiffe://shop/", "spiffe://shop", "spiffe://shop/cart-service/", "spiffe://shop/a/b", "spiffe://other/cart-service",
        "SPIFFE://shop/cart-service", "https://shop/cart-service", "spiffe://shop/Cart-service", "spiffe://shop/cart%2dservice",
        "spiffe://shop/cart-service?x", " spiffe://shop/cart-service", "spiffe://shop/..", "spiffe://shop:1/cart-service"}) {
    EXPECT_EQ(service_of_identity(wrong), std::nullopt) << wrong;
  }
  EXPECT_EQ(service_of_identity(std::string_view("spiffe://shop/cart-service\0", 27)), std::nullopt);
  EXPECT_TRUE(service_of_identity(identity_uri(std::string(63, 'a'))));
  EXPECT_FALSE(service_of_identity(identity_uri(std::string(64, 'a'))));
}

TEST(Certificates, OnlyForNamesOfServices) {
  const auto authority = make_authority(around_now()).value();
  for (const std::string name : {"", "a/b", "Cart", "a,URI:spiffe://shop/shopctl", "a\nb"}) {
    EXPECT_FALSE(issue_certificate(authority, name, around_now())) << name;
  }
  const auto other = make_authority(around_now()).value();
  EXPECT_FALSE(issue_certificate({authority.certificate, other.key}, "cart-service", around_now()));
  EXPECT_FALSE(issue_certificate({"", ""}, "cart-service", around_now()));
}

TEST_F(TlsFilesTest, GoodOnesAreTaken) { EXPECT_EQ(said(), ""); }

TEST_F(TlsFilesTest, FaultsAreNamed) {
  EXPECT_THAT(said("order-service"), HasSubstr("is spiffe://shop/cart-service, not spiffe://shop/order-service"));

  put(issue_certificate(authority_, "cart-service", {now() - hours(2), now() - hours(1)}).value());
  EXPECT_THAT(said(), HasSubstr("expired"));
  put(issue_certificate(authority_, "cart-service", {now() + hours(1), now() + hours(2)}).value());
  EXPECT_THAT(said(), HasSubstr("not yet valid"));

  const auto other = make_authority(around_now()).value();
  put(issue_certificate(other, "cart-service", around_now()).value());
  EXPECT_THAT(said(), HasSubstr("not one that others take"));
  put(authority_);
  EXPECT_THAT(said(), HasSubstr("of no service"));

  const auto own = issue_certificate(authority_, "cart-service", around_now()).value();
  put({own.certificate, other.key});
  EXPECT_THAT(said(), HasSubstr("is not that of the certificate"));
  put({own.certificate, ""});
  EXPECT_THAT(said(), HasSubstr("key.pem holds no private key"));
  put({own.certificate, own.certificate});
  EXPECT_THAT(said(), HasSubstr("key.pem holds no private key"));
  put({own.key, own.key});
  EXPECT_THAT(said(), HasSubstr("cert.pem holds no certificate"));
  put({"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", own.key});
  EXPECT_THAT(said(), HasSubstr("cert.pem holds no certificate"));

  put(own);
  write("ca.pem", own.certificate);
  EXPECT_THAT(said(), HasSubstr("ca.pem holds no certificate of a CA"));
  write("ca.pem", "");
  EXPECT_THAT(said(), HasSubstr("ca.pem holds no certificate of a CA"));
  std::filesystem::remove(path("ca.pem"));
  EXPECT_THAT(said(), HasSubstr("TLS_CA_FILE names " + path("ca.pem") + ", which cannot be read"));
  std::filesystem::create_directory(path("ca.pem"));
  EXPECT_THAT(said(), HasSubstr("which cannot be read"));
}

TEST_F(TlsFilesTest, SeveralAuthoritiesMayBeTrusted) {
  write("ca.pem", authority_.certificate + make_authority(around_now())->certificate);  // several CAs: for the time of a change
  EXPECT_EQ(said(), "");
}

TEST_F(TlsFilesTest, ChangedFilesAreReadAgain) {
  Tls tls(files(), "cart-service");
  EXPECT_EQ(tls.reload(), false);
  put(issue_certificate(authority_, "cart-service", around_now()).value());
  EXPECT_EQ(tls.reload(), true);
  EXPECT_EQ(tls.reload(), false);

  const auto next = issue_certificate(authority_, "cart-service", around_now()).value();
  write("key.pem", next.key);
  for (int i = 0; i < 2; ++i) {  // as long as they do not fit it says so
    const auto half = tls.reload();
    ASSERT_FALSE(half);
    EXPECT_THAT(half.error().message, HasSubstr("is not that of the certificate"));
  }
  write("cert.pem", next.certificate);
  EXPECT_EQ(tls.reload(), true);
}

}  // namespace
}  // namespace shop::net
