import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import javax.mail.internet.ContentDisposition;
import javax.mail.internet.ContentType;
import javax.mail.internet.InternetAddress;
import javax.mail.internet.ParseException;

/** Prints JavaMail's verdict on each line of its input, `Name: value`: its error, or an empty line if there is none. */
class HeaderFields {
    public static void main(String[] arguments) throws IOException {
        BufferedReader fields = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream verdicts = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        for (String field; (field = fields.readLine()) != null; ) {
            int colon = field.indexOf(": ");
            verdicts.println(verdict(field.substring(0, colon), field.substring(colon + 2)));
        }
        verdicts.flush();
    }

    private static String verdict(String name, String value) {
        try {
            switch (name) {
                case "Content-Type" -> new ContentType(value);
                case "Content-Disposition" -> new ContentDisposition(value);
                default -> {
                    for (InternetAddress address : InternetAddress.parseHeader(value, true)) {
                        address.validate();
                    }
                }
            }
            return "";
        } catch (ParseException refusal) {
            return refusal.getMessage();
        }
    }
}
