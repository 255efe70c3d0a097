#include "contract/cutting_proxy.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>

namespace shop::contract {
namespace {

constexpr int look_ms = 20;  // how soon a thread notices a command

sockaddr_in ipv4(const std::string& host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  ::inet_pton(AF_INET, host.c_str(), &address.sin_addr);
  return address;
}

bool send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void reset(int socket) {  // the other end gets a reset, not a goodbye
  const linger at_once{1, 0};
  ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::close(socket);
}

}  // namespace

CuttingProxy::CuttingProxy(Address target) : target_(std::move(target)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto address = ipv4("127.0.0.1", 0);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 64) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("the proxy has no port");
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { listen_and_accept(); });
}

CuttingProxy::~CuttingProxy() {
  stopping_ = true;
  thread_.join();
  cut_all();
  for (auto& pair : pairs_) pair.thread.join();
  ::close(listener_);
}

void CuttingProxy::cut_all() {
  const std::lock_guard lock(mutex_);
  for (auto& pair : pairs_) pair.closing = true;
}

void CuttingProxy::cut_at(std::string bytes, bool passed_on) {
  const std::lock_guard lock(mutex_);
  needle_ = std::move(bytes);
  pass_on_ = passed_on;
  cut_ = false;
}

void CuttingProxy::listen_and_accept() {
  while (!stopping_) {
    pollfd waits{listener_, POLLIN, 0};
    if (::poll(&waits, 1, look_ms) <= 0) continue;
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) continue;
    ++accepted_;
    const int server = refusing_ ? -1 : ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto address = ipv4(target_.host == "localhost" ? "127.0.0.1" : target_.host, target_.port);
    if (server < 0 || ::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      reset(client);
      if (server >= 0) ::close(server);
      continue;
    }
    const int on = 1;
    ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const std::lock_guard lock(mutex_);
    auto& pair = pairs_.emplace_back();
    pair.client = client;
    pair.server = server;
    pair.thread = std::thread([this, &pair] { carry(pair); });
  }
}

bool CuttingProxy::from_client(Pair& pair, std::string_view bytes) {
  if (silent_) return true;
  {
    const std::lock_guard lock(mutex_);
    if (!needle_.empty() && bytes.find(needle_) != bytes.npos) {
      needle_.clear();
      cut_ = true;
      if (pass_on_) {
        send_all(pair.server, bytes);
        std::array<char, 1> answer;
        (void)::recv(pair.server, answer.data(), answer.size(), MSG_PEEK);  // it has done what it was told
      }
      return false;
    }
  }
  return send_all(pair.server, bytes);
}

void CuttingProxy::carry(Pair& pair) {
  std::array<char, 65536> buffer;
  bool good = true;
  while (good && !pair.closing) {
    std::array<pollfd, 2> waits{{{pair.client, POLLIN, 0}, {pair.server, POLLIN, 0}}};
    if (::poll(waits.data(), waits.size(), look_ms) <= 0) continue;
    for (std::size_t i = 0; good && i < waits.size(); ++i) {
      if (!waits[i].revents) continue;
      const auto got = ::recv(waits[i].fd, buffer.data(), buffer.size(), 0);
      if (got <= 0) {
        good = false;
        break;
      }
      const std::string_view bytes(buffer.data(), static_cast<std::size_t>(got));
      good = i == 0 ? from_client(pair, bytes) : send_all(pair.client, bytes);
    }
  }
  reset(pair.client);
  ::close(pair.server);
}

}  // namespace shop::contract
