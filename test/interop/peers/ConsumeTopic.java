import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Prints partition, key and value of each message of a topic, the latter two in hexadecimal after 0x. Arguments: broker, topic. */
public class ConsumeTopic {
  public static void main(String[] args) {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", args[0]);
    properties.put("group.id", "test");
    properties.put("auto.offset.reset", "earliest");
    properties.put("key.deserializer", ByteArrayDeserializer.class.getName());
    properties.put("value.deserializer", ByteArrayDeserializer.class.getName());
    try (var consumer = new KafkaConsumer<byte[], byte[]>(properties)) {
      consumer.subscribe(List.of(args[1]));
      for (;;) {
        for (var record : consumer.poll(Duration.ofSeconds(1))) {
          System.out.println(record.partition() + " " + encode(record.key()) + " " + encode(record.value()));
        }
      }
    }
  }

  private static String encode(byte[] bytes) {
    return bytes == null ? "-" : "0x" + HexFormat.of().formatHex(bytes);
  }
}
