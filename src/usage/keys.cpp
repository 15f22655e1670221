#include "usage/keys.hpp"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cassert>
#include <cerrno>
#include <cstring>

#include "platform/files.hpp"
#include "platform/unique_fd.hpp"
#include "usage/digest.hpp"

namespace bops {
namespace {

constexpr std::size_t kPublicKeySize = 32;
constexpr std::size_t kSignatureSize = 64;

using KeyHandle = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;
using Memory = std::unique_ptr<BIO, decltype(&BIO_free)>;

const unsigned char* octets(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

/// For the reason in errno.
tl::unexpected<Error> cannot_make(const std::string& path) {
  return failure("cannot make the key file " + path + ": " + std::strerror(errno),
                 errno == EEXIST ? "name another file: keys are never overwritten"
                                 : "name a file in a directory that you can write to");
}

}  // namespace

Result<PublicKey> PublicKey::from_bytes(std::string bytes) {
  if (bytes.size() != kPublicKeySize) return failure("an Ed25519 public key has 32 bytes");
  return PublicKey(std::move(bytes));
}

std::string PublicKey::id() const {
  return sha256_hex(bytes_).substr(0, 16);
}

bool PublicKey::verifies(std::string_view message, std::string_view signature) const {
  const KeyHandle key(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, octets(bytes_), bytes_.size()),
      EVP_PKEY_free);
  const Context context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  if (!key || !context || signature.size() != kSignatureSize) return false;
  return EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), octets(signature), signature.size(), octets(message),
                          message.size()) == 1;
}

SigningKey SigningKey::generate() {
  EVP_PKEY* key = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  assert(key != nullptr);
  return SigningKey({key, EVP_PKEY_free});
}

Result<SigningKey> SigningKey::read(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0 && (status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    return failure("others may read the private key " + path, "chmod 600 " + path);
  const auto text = read_file_whole(path);
  if (!text) return tl::unexpected(text.error());
  const Memory memory(BIO_new_mem_buf(text->data(), static_cast<int>(text->size())), BIO_free);
  std::shared_ptr<EVP_PKEY> key(PEM_read_bio_PrivateKey(memory.get(), nullptr, nullptr, nullptr),
                                EVP_PKEY_free);
  if (!key || EVP_PKEY_get_id(key.get()) != EVP_PKEY_ED25519)
    return failure(path + " is not an Ed25519 private key", "make one with bops usage keygen");
  return SigningKey(std::move(key));
}

Result<void> SigningKey::write(const std::string& path) const {
  const Memory memory(BIO_new(BIO_s_mem()), BIO_free);
  const int written = PEM_write_bio_PKCS8PrivateKey(memory.get(), key_.get(), nullptr, nullptr, 0,
                                                    nullptr, nullptr);
  assert(written == 1);
  (void)written;
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &text);
  // Under its name it is whole: others may be waiting to read it.
  const std::string unfinished = path + ".new-" + std::to_string(::getpid());
  const UniqueFd fd(::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd) return cannot_make(path);
  auto all = write_all(fd.get(), {text, static_cast<std::size_t>(size)}, path);
  if (all && ::fsync(fd.get()) != 0)
    all = failure("cannot keep the key file " + path + ": " + std::strerror(errno));
  if (all && ::link(unfinished.c_str(), path.c_str()) != 0) all = cannot_make(path);
  ::unlink(unfinished.c_str());
  return all;
}

PublicKey SigningKey::public_key() const {
  std::array<unsigned char, kPublicKeySize> bytes{};
  std::size_t size = bytes.size();
  const int got = EVP_PKEY_get_raw_public_key(key_.get(), bytes.data(), &size);
  assert(got == 1);
  (void)got;
  return *PublicKey::from_bytes({bytes.begin(), bytes.end()});
}

std::string SigningKey::sign(std::string_view message) const {
  const Context context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  std::string signature(kSignatureSize, '\0');
  std::size_t size = signature.size();
  const bool done =
      EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) == 1 &&
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                     octets(message), message.size()) == 1;
  assert(done && size == kSignatureSize);
  (void)done;
  return signature;
}

}  // namespace bops
