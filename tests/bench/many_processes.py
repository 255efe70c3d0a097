"""The distributed shop: beside pgbench on its own PostgreSQL, beside its engine asked directly, and beside the same shop in one process."""
from measure import Load, Pgbench, Void, ask, cpu_seconds, middle, pairs, resident_mb, settle
from one_process import query_file, searchable, stale_reads
from subjects import CUSTOMER, KEY, LIST, additions, carts, checkouts, customer, details, order_of, searches, shop_mix, variants_of


# --- 4, 5
def distributed(bench):
    """Checkout and hot stock beside pgbench on the same PostgreSQL"""
    running = bench.distributed()
    pids, products, token = bench.everything(), variants_of(running), customer(running)
    quiet = bench.quiet_cores()
    components = running.stack.folder / "components"

    def orders(load, connections):
        return load.run(running.port, pids, connections, bench.seconds, quiet_cores=quiet)

    with Pgbench(running.stack.port("postgres"), components, bench.seconds) as pgbench:
        with Load(checkouts(products, token)) as load:
            ours, floor = pairs(bench.runs, lambda: orders(load, 16), lambda: pgbench.run("checkout"))
            before = by_process(running)
            wide = [orders(load, 64) for _ in range(3)]
            spent = {name: seconds - before[name] for name, seconds in by_process(running).items()}
        rates = [r["per_second"] for r in ours]
        bench.table.versus(5, "distributed: checkouts of 2 lines, 16 clients (floor)", rates, floor, "orders/s", "pgbench, six round trips", at_least=0.8)
        bench.add(5, "distributed: checkouts of 2 lines, 64 clients", middle([r["per_second"] for r in wide]), "orders/s")
        bench.add(5, "distributed: CPU of every process, stores, events and index too", middle([r["cpu_us"] for r in ours]), "us/order")
        for name, seconds in sorted(spent.items(), key=lambda pair: -pair[1])[:6]:
            bench.add(5, f"distributed: of that, {name}", seconds / max(1e-9, sum(spent.values())) * 100, "%")
        with Load([("POST", "/orders", 201, order_of((products[0][1][0], 1)), {**KEY, "Authorization": f"Bearer {token}"})]) as load:
            ours, floor = pairs(bench.runs, lambda: orders(load, 64), lambda: pgbench.run("hot"))
        bench.table.versus(4, "distributed: one hot variant, 64 clients", [r["per_second"] for r in ours], floor, "orders/s", "pgbench, one by one", at_least=5)


# --- 9, 10
def distributed_search(bench):
    """Search beside Elasticsearch asked directly, how soon a product is found, reads after writes"""
    running = bench.distributed()
    quiet = bench.quiet_cores()
    queries = bench.folder / "elasticsearch.requests"
    queries.write_text(ask("elasticsearch", query_file(bench)))
    engine_port, engine = running.stack.port("elasticsearch"), [running.stack.state["components"]["elasticsearch"]["pid"]]
    serving = [entry["pid"] for entry in running.stack.services.values() if entry["service"] in ("api-gateway", "search-service")] + engine
    settle(bench.everything(), quiet)
    with Load(searches()) as load, Load.of_lines(queries.read_text()) as direct:
        for _ in range(3):  # its compiler has to see them first
            direct.send(engine_port, 4, bench.seconds, 0)
        ours, alone = pairs(bench.runs, lambda: load.run(running.port, serving, 8, bench.seconds), lambda: direct.run(engine_port, engine, 8, bench.seconds))
    bench.table.versus(10, "search, Elasticsearch: CPU, gateway, search-service and engine / engine asked directly", [r["cpu_us"] for r in ours], [r["cpu_us"] for r in alone], "us/req",
                       "the same query over HTTP", at_most=1.3)
    bench.add(10, "search, Elasticsearch: most, closed loop, 8 connections", middle([r["per_second"] for r in ours]), "req/s")
    searchable(bench, running, "Elasticsearch")
    bench.add(9, "distributed: reads older than one's own write through the other gateway, of 100", stale_reads(running, running.gateway(2), 100), "reads", at_most=0)


def by_process(running):
    """CPU seconds so far by service, all instances of it, and by store."""
    spent = {name: cpu_seconds([entry["pid"]]) for name, entry in running.stack.state["components"].items()}
    for entry in running.stack.services.values():
        spent[entry["service"]] = spent.get(entry["service"], 0) + cpu_seconds([entry["pid"]])
    return spent


# --- 11
def modes(bench):
    """The same shop, the same requests: one process beside one process a service"""
    many = bench.distributed()
    with bench.large() as one:
        everything, alone, quiet = bench.everything(), [one.process.pid], bench.quiet_cores()
        bench.add(11, "memory idle, one process", resident_mb(alone), "MB")
        bench.add(11, "memory idle, every service of the distributed shop, without its stores", resident_mb(many.pids()), "MB")
        shops = [(running, variants_of(running), customer(running)) for running in (one, many)]
        for what, requests in ROUTES:
            loads = [Load(requests(*each)) for each in shops]
            try:
                ours, theirs = pairs(min(2, bench.runs), lambda: loads[0].run(one.port, alone, 8, bench.seconds / 2, quiet_cores=0.1),
                                     lambda: loads[1].run(many.port, everything, 8, bench.seconds / 2, quiet_cores=quiet))
                bench.table.versus(11, f"{what}: CPU, one process / distributed", [r["cpu_us"] for r in ours], [r["cpu_us"] for r in theirs], "us/req", "distributed")
            except Void as void:  # of one route, not of the others
                bench.table.void(f"{what}: {void}")
            for load in loads:
                load.close()
        mixes = [shop_mix(*each) for each in shops]
        ours, theirs = pairs(bench.runs, lambda: mixes[0].run(one.port, alone, 8, bench.seconds, quiet_cores=0.1),
                             lambda: mixes[1].run(many.port, everything, 8, bench.seconds, quiet_cores=quiet))
        bench.table.versus(11, "shop mix: CPU, one process / distributed", [r["cpu_us"] for r in ours], [r["cpu_us"] for r in theirs], "us/req", "distributed", at_most=0.25)
        rate = middle([r["per_second"] for r in theirs]) / 2
        ours, theirs = pairs(bench.runs, lambda: mixes[0].run(one.port, alone, 16, bench.seconds, rate=rate),
                             lambda: mixes[1].run(many.port, everything, 16, bench.seconds, rate=rate))
        bench.table.versus(11, f"shop mix: p50 at {rate:.0f}/s, half of what the distributed can", [r["p50_us"] for r in ours], [r["p50_us"] for r in theirs], "us",
                           "distributed", at_most=0.2)
        bench.table.versus(11, "the same: p99", [r["p99_us"] for r in ours], [r["p99_us"] for r in theirs], "us", "distributed")
        for load in mixes:
            load.close()
        bench.add(11, "memory after the load, one process", resident_mb(alone), "MB")
        bench.add(11, "memory after the load, every service of the distributed shop", resident_mb(many.pids()), "MB")


ROUTES = [("list of 20", lambda running, products, token: [LIST]),
          ("detail", lambda running, products, token: details(products)),
          ("search", lambda running, products, token: searches()),
          ("cart read", lambda running, products, token: [("GET", f"/carts/{cart}", 200) for cart in carts(running)]),
          ("cart add", lambda running, products, token: additions(products, carts(running))),
          ("login", lambda running, products, token: [("POST", "/auth/login", 200, {key: CUSTOMER[key] for key in ("email", "password")})]),
          ("order of one line", lambda running, products, token: checkouts(products, token, lines=1))]
