// Ed25519 keys (RFC 8032): a private one signs checkpoints, public ones check them.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "model/error.hpp"

struct evp_pkey_st;  // OpenSSL's EVP_PKEY

namespace bops {

/// A public key, as its 32 bytes.
class PublicKey {
 public:
  /// Fails unless there are 32 bytes.
  [[nodiscard]] static Result<PublicKey> from_bytes(std::string bytes);

  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  /// The first 16 hexadecimal digits of the SHA-256 of the bytes.
  [[nodiscard]] std::string id() const;
  [[nodiscard]] bool verifies(std::string_view message, std::string_view signature) const;

 private:
  explicit PublicKey(std::string bytes) : bytes_(std::move(bytes)) {}
  std::string bytes_;
};

class SigningKey {
 public:
  [[nodiscard]] static SigningKey generate();
  /// From a PEM file (PKCS #8) that only its owner may read. Fails if others may, or if it holds
  /// another kind of key.
  [[nodiscard]] static Result<SigningKey> read(const std::string& path);

  /// Writes a new PEM file, mode 0600. Fails if the file exists: a key is never overwritten.
  [[nodiscard]] Result<void> write(const std::string& path) const;
  [[nodiscard]] PublicKey public_key() const;
  /// 64 bytes.
  [[nodiscard]] std::string sign(std::string_view message) const;

 private:
  explicit SigningKey(std::shared_ptr<evp_pkey_st> key) : key_(std::move(key)) {}
  std::shared_ptr<evp_pkey_st> key_;
};

}  // namespace bops
