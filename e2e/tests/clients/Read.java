// Reads URLs with the authorities that the runtime trusts by itself.

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;

class Read {
    public static void main(String[] urls) throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        for (String url : urls) {
            var request = HttpRequest.newBuilder(URI.create(url)).build();
            var answer = client.send(request, BodyHandlers.ofString());
            System.out.print(answer.version() + " " + answer.statusCode() + " " + answer.body());
        }
    }
}
