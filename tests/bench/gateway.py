"""Our gateway beside HAProxy and nginx, on one origin, in one run."""
import contextlib
import http.client
import json

from measure import Component, Load, Peer, Void, filled, middle, needed, pairs, shop

PATH = "/products/id/00000000-0000-7000-8000-000000000000"
# What is on in each. All: kept connections on both sides, routing by prefix with the prefix taken off, a request id made, X-Forwarded-*.
#   ours           access log (JSON, a line a request), metrics by route, trace context, CORS fields, instances from Consul by long poll
#   HAProxy        access log (httplog, a line a request), its own counters, active health checks
#   HAProxy, bare  the same without a log
#   nginx          access log (combined, 64 kB buffer)


def gateway(bench):
    """CPU of a proxied request and the most of them, beside HAProxy and nginx"""
    folder = bench.folder / "gateway"
    (folder / "origin").mkdir(parents=True, exist_ok=True)
    origin_port = shop.free_port()
    origin = filled("origin.conf", folder, "origin.conf", PORT=origin_port, FOLDER=folder / "origin", BODY=json.dumps({"data": "x" * 280}))
    with contextlib.ExitStack() as stack:
        def peer(name, command, port, **environment):
            started = Peer(command, port, folder / name, environment)
            stack.callback(started.close)
            return started

        peer("origin", [needed("nginx", "nginx"), "-c", str(origin), "-p", str(folder / "origin")], origin_port)
        consul = stack.enter_context(Component("consul", folder / "consul"))
        register(consul.port, origin_port)
        proxies = {}
        for name, log in (("HAProxy", "log stdout format raw local0 info"), ("HAProxy, no log", "")):
            port = shop.free_port()
            settings = filled("haproxy.cfg", folder, f"{len(proxies)}.cfg", PORT=port, UPSTREAM=origin_port, LOG=log)
            proxies[name] = peer(name, [needed("haproxy", "haproxy"), "-f", str(settings), "-db"], port)
        port = shop.free_port()
        (folder / "nginx").mkdir()
        settings = filled("nginx.conf", folder, "nginx.conf", PORT=port, UPSTREAM=origin_port, FOLDER=folder / "nginx")
        proxies["nginx"] = peer("nginx", [needed("nginx", "nginx"), "-c", str(settings), "-p", str(folder / "nginx")], port)
        for name, more in (("api-gateway", []), ("api-gateway, no log", ["--log-level", "off"])):
            port = shop.free_port()
            proxies[name] = peer(name, [shop.program("api-gateway"), "--port", str(port), "--bind", "127.0.0.1", *more], port, INTERNAL_TOKEN="bench-bench-bench-1",
                                 POD_IP="127.0.0.1", POD_HOSTNAME=str(port), CONSUL_AGENT_HOST="127.0.0.1", CONSUL_AGENT_PORT=str(consul.port))
            shop.eventually(lambda: shop.Client("127.0.0.1", port).get(PATH).status == 200)
        with Load([("GET", PATH, 200)]) as load:
            rounds = pairs(bench.runs, *(lambda proxy=proxy: load.run(proxy.port, proxy.pids, 32, bench.seconds) for proxy in proxies.values()))
        for (name, proxy), results in zip(proxies.items(), rounds, strict=True):
            bench.add(8, f"CPU: {name}", middle([r["cpu_us"] for r in results]), "us/req")
        cpu = {name: [r["cpu_us"] for r in results] for name, results in zip(proxies, rounds, strict=True)}
        most = {name: [r["per_second"] for r in results] for name, results in zip(proxies, rounds, strict=True)}
        bench.table.versus(8, "CPU: api-gateway / HAProxy", cpu["api-gateway"], cpu["HAProxy"], "us/req", "HAProxy, with its log", at_most=1.1)
        bench.table.versus(8, "CPU without logs: api-gateway / HAProxy", cpu["api-gateway, no log"], cpu["HAProxy, no log"], "us/req", "HAProxy, no log")
        bench.table.versus(8, "CPU: api-gateway / nginx", cpu["api-gateway"], cpu["nginx"], "us/req", "nginx, buffered log")
        bench.table.versus(8, "most, closed loop of 32: api-gateway / HAProxy", most["api-gateway"], most["HAProxy"], "req/s", "HAProxy, with its log")


def register(consul_port, port):
    """The origin as the product-service that discovery knows."""
    connection = http.client.HTTPConnection("127.0.0.1", consul_port, timeout=10)
    check = {"HTTP": f"http://127.0.0.1:{port}/", "Interval": "10s", "Status": "passing"}
    connection.request("PUT", "/v1/agent/service/register", json.dumps({"ID": "origin", "Name": "product-service", "Address": "127.0.0.1", "Port": port, "Check": check}))
    answer = connection.getresponse()
    if answer.status != 200:
        raise Void(f"Consul answered {answer.status} {answer.read()}")
    connection.close()
