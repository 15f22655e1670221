#include "tests/usage/postgresql_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

namespace bops::harness {
namespace {

/// The directory of initdb and postgres; empty if there is none.
std::string programs() {
  for (const char* version : {"17", "16", "15", "14", "13"}) {
    std::string path = std::string("/usr/lib/postgresql/") + version + "/bin";
    if (::access((path + "/initdb").c_str(), X_OK) == 0 &&
        ::access((path + "/postgres").c_str(), X_OK) == 0)
      return path;
  }
  return {};
}

/// A port that was free a moment ago.
int free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  int port = 0;
  if (fd >= 0 && ::bind(fd, generic, size) == 0 && ::getsockname(fd, generic, &size) == 0)
    port = ntohs(address.sin_port);
  if (fd >= 0) ::close(fd);
  return port;
}

/// The server refuses root.
std::vector<std::string> as_user(std::vector<std::string> words) {
  if (::getuid() != 0) return words;
  words.insert(words.begin(),
               {"setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"});
  return words;
}

}  // namespace

std::unique_ptr<PostgresqlServer> PostgresqlServer::start(std::string& why_not) {
  const std::string bin = programs();
  const passwd* user = ::getpwnam("postgres");
  if (bin.empty() || (::getuid() == 0 && user == nullptr)) {
    why_not = "PostgreSQL is not installed (apt-get install postgresql)";
    return nullptr;
  }
  std::unique_ptr<PostgresqlServer> server(new PostgresqlServer);
  const std::string data = server->directory_ / "data";
  if (::getuid() == 0 &&
      ::chown(server->directory_.path().c_str(), user->pw_uid, user->pw_gid) != 0) {
    why_not = "the directory of the server cannot be given to its user";
    return nullptr;
  }
  const Ended made = run(as_user({bin + "/initdb", "-D", data, "-U", "bops", "-A", "trust", "-N",
                                  "--locale=C", "--encoding=UTF8"}),
                         {}, server->directory_.path());
  if (made.code != 0) {
    why_not = "initdb failed: " + made.errors;
    return nullptr;
  }
  for (int attempt = 0; attempt < 5; ++attempt) {  // another may take the port first
    const std::string port = std::to_string(free_port());
    server->server_ = std::make_unique<Subprocess>(
        as_user({bin + "/postgres", "-D", data, "-p", port, "-c", "listen_addresses=127.0.0.1",
                 "-k", server->directory_.path(), "-c", "fsync=off", "-c", "max_connections=20",
                 "-c", "shared_buffers=16MB"}),
        std::map<std::string, std::string>{}, server->directory_.path());
    server->url_ = "postgresql://bops@127.0.0.1:" + port + "/postgres";
    for (int tries = 0; tries < 600; ++tries) {
      if (run({bin + "/psql", server->url_, "-c", "SELECT 1"}).code == 0) return server;
      if (::kill(server->server_->pid(), 0) != 0) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  }
  why_not = "the server does not answer";
  return nullptr;
}

PostgresqlServer::~PostgresqlServer() {
  if (!server_) return;
  ::kill(server_->pid(), SIGQUIT);  // at once: nothing of it is kept
  (void)server_->wait();
}

}  // namespace bops::harness
