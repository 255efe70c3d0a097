import java.util.*;
import java.util.concurrent.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.common.errors.TopicExistsException;

/** Topics PORT NAME:PARTITIONS... creates the topics that are not there yet and waits until they are known. */
public class Topics {
  public static void main(String[] arguments) throws Exception {
    Map<String, Object> settings = Map.of(
        "bootstrap.servers", "127.0.0.1:" + arguments[0],
        "request.timeout.ms", 10_000,
        "default.api.timeout.ms", 20_000);
    List<String> names = new ArrayList<>();
    try (Admin admin = Admin.create(settings)) {
      List<NewTopic> wanted = new ArrayList<>();
      for (String argument : List.of(arguments).subList(1, arguments.length)) {
        String[] parts = argument.split(":");
        names.add(parts[0]);
        wanted.add(new NewTopic(parts[0], Integer.parseInt(parts[1]), (short) 1));
      }
      for (var created : admin.createTopics(wanted).values().values()) {
        try {
          created.get(20, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
          if (!(e.getCause() instanceof TopicExistsException)) throw e;
        }
      }
      for (int i = 0; i < wanted.size(); i++) {
        int partitions = partitionsOf(admin, names.get(i));
        if (partitions != wanted.get(i).numPartitions()) {
          System.err.println("topic " + names.get(i) + " exists with " + partitions + " partitions");
          System.exit(1);
        }
      }
    } catch (ExecutionException | TimeoutException e) {
      System.err.println(e.getCause() == null ? e : e.getCause());
      System.exit(1);
    }
  }

  /** A topic is created before every part of the broker knows it. */
  private static int partitionsOf(Admin admin, String name) throws Exception {
    for (int tries = 0; ; tries++) {
      try {
        return admin.describeTopics(List.of(name)).allTopicNames().get(20, TimeUnit.SECONDS).get(name).partitions().size();
      } catch (ExecutionException e) {
        if (tries == 100) throw e;
        Thread.sleep(50);
      }
    }
  }
}
