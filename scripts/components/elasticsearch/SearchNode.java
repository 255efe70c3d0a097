import java.util.List;
import java.util.Map;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.Plugin;

/**
 * SearchNode FOLDER PORT: one node on 127.0.0.1, PORT for HTTP and PORT + 1 for transport, built directly so that
 * it needs no distribution. OpenSearch is compiled from this same file with its own package names.
 */
public class SearchNode extends Node {
  SearchNode(Environment environment, List<Class<? extends Plugin>> plugins) {
    super(environment, plugins, false);
  }

  public static void main(String[] arguments) throws Exception {
    int port = Integer.parseInt(arguments[1]);
    Settings settings = Settings.builder()
        .put("path.home", arguments[0])
        .put("cluster.name", "shop")
        .put("node.name", "shop")
        .put("network.host", "127.0.0.1")
        .put("http.port", port)
        .put("transport.port", port + 1)
        .put("discovery.type", "single-node")
        .put("node.processors", 2)
        .put("cluster.routing.allocation.disk.threshold_enabled", false)
        .put("action.destructive_requires_name", false)
        .build();
    Node node = new SearchNode(
        InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), null, () -> "shop"),
        List.of(
            org.elasticsearch.transport.Netty4Plugin.class,
            org.elasticsearch.analysis.common.CommonAnalysisPlugin.class,
            org.elasticsearch.index.mapper.MapperExtrasPlugin.class,
            org.elasticsearch.index.reindex.ReindexPlugin.class,
            org.elasticsearch.painless.PainlessPlugin.class));
    node.start();
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      try {
        node.close();
      } catch (Exception e) {
        e.printStackTrace();
      }
    }));
    Thread.currentThread().join(); // the node's own threads are daemons
  }
}
