//! German.

use super::{Counted, PerBalance, Phrases};
use crate::diagnose::Verdict;

pub(super) static DE: Phrases = Phrases {
    greeting: "Guten Tag!",
    closing: "Freundliche Grüße\nIhr Support-Team",
    and: " und ",
    comma: ", ",
    space: " ",
    credits: Counted { one: "{n} Credit", other: "{n} Credits" },
    run_charged: "Projekt „{project}“, {model}, gestartet am {when}, {credits}",
    run_free: "Projekt „{project}“, {model}, gestartet am {when}",
    confirm_one: "Wir haben uns diesen Lauf angesehen: {run}.",
    confirm_many: "Wir haben uns diese Läufe angesehen:",
    cause,
    wait_until: "Spätestens am {when} ist entweder Ihr Ergebnis im Projekt oder Sie haben Ihre Credits zurück. Sie müssen nichts weiter tun.",
    still_running: "Der Lauf wird noch bearbeitet.",
    lookup_pending: "Wir konnten noch nicht klären, was aus Ihrem Lauf geworden ist, und fragen weiter nach, längstens bis {when}. Haben wir dann immer noch keine Auskunft, bekommen Sie Ihre Credits zurück.",
    to_balance: PerBalance {
        quota: "{credits} auf Ihr Monatskontingent",
        pool: "{credits} auf das Kontingent des Workspace",
        wallet: "{credits} auf Ihr Guthaben",
        workspace_wallet: "{credits} auf das Guthaben des Workspace",
    },
    refund_posted: "Die Credits wurden bereits zurückgebucht: {lines}, am {when}. Sie finden das unter Einstellungen, Abrechnung.",
    redebit: "Das Ergebnis können Sie noch bekommen, wenn der zurückgebuchte Betrag ({credits}) erneut abgebucht werden darf. Wenn Sie das möchten, antworten Sie einfach auf diese Nachricht; ohne Ihre Zustimmung wird nichts abgebucht.",
    from_balance: PerBalance {
        quota: "{credits} von Ihrem Monatskontingent",
        pool: "{credits} vom Kontingent des Workspace",
        wallet: "{credits} von Ihrem Guthaben",
        workspace_wallet: "{credits} vom Guthaben des Workspace",
    },
    released: "Mit Ihrer Zustimmung vom {when} haben wir die zurückgebuchten Credits erneut abgebucht: {lines}. Sie finden das unter Einstellungen, Abrechnung.",
    released_to: "Ihr Ergebnis liegt jetzt {place}. Sie müssen den Lauf nicht wiederholen.",
    restored: "Wir haben zurückgebucht: {lines}.",
    to_workspace: "Bezahlt hat den Lauf der Workspace, deshalb gingen die Credits dorthin zurück und nicht auf ein persönliches Konto.",
    to_current_period: "Der Abrechnungszeitraum der Abbuchung ist vorbei, deshalb kommen die Credits zum Kontingent des laufenden Zeitraums hinzu.",
    to_wallet: "Das Abonnement hinter der Abbuchung ist beendet, deshalb gingen die Credits auf das Guthaben desselben Kontos.",
    excluded: "In Ihrem Verbrauch zählt dieser Lauf nicht mehr.",
    excluded_part: "In Ihrem Verbrauch zählt dieser Lauf jetzt mit {credits}.",
    duplicate_removed: "Die Abbuchung von {credits} am {when} war doppelt und wurde zurückgenommen. Die erste Abbuchung bleibt bestehen.",
    at_node: "im Projekt „{project}“ auf der Arbeitsfläche bei „{node}“",
    in_history: "im Generierungsverlauf des Projekts „{project}“",
    history_entry: "im Generierungsverlauf des Projekts „{project}“, im Eintrag „{model}“ vom {when}",
    recovered: "Ihr Ergebnis liegt jetzt {place}. Sie müssen den Lauf nicht wiederholen, und es entstehen keine weiteren Kosten.",
    moved: "Wir haben Ihr Ergebnis an die richtige Stelle verschoben: Es liegt jetzt {place}.",
    on_hold: "Wir bewahren Ihr Ergebnis bis {when} für Sie auf.",
    free_space: "In Ihrem Speicher ist dafür kein Platz. Bitte geben Sie mindestens {size} frei und antworten Sie auf diese Nachricht; wir legen die Datei dann in Ihr Projekt.",
    free_some_space: "In Ihrem Speicher ist dafür kein Platz. Bitte geben Sie Speicherplatz frei und antworten Sie auf diese Nachricht; wir legen die Datei dann in Ihr Projekt.",
    location: "Ihr Ergebnis liegt {place}.",
    drag_back: "Sie können es jederzeit kostenlos aus dem Verlauf zurück auf die Arbeitsfläche ziehen.",
    item_by_item: "Im Einzelnen:",
    item: Counted { one: "Ergebnis {items}: {what}", other: "Ergebnisse {items}: {what}" },
    items_of: "Zu {run}:",
    item_delivered: "geliefert",
    item_recovered: "wiederhergestellt, jetzt in Ihrem Projekt",
    item_restored: "{credits} zurückgebucht",
    item_held: "für Sie aufbewahrt",
    item_waiting: "noch ausstehend",
    item_refunded: "Credits bereits zurückgebucht",
    item_open: "nicht geliefert; die Abbuchung bleibt bestehen",
    kept_until: "Die Datei selbst lässt sich nicht mehr wiederherstellen: Fertige Dateien werden nur begrenzte Zeit aufbewahrt, diese war bis {when} verfügbar.",
    no_longer_kept: "Die Datei selbst lässt sich nicht mehr wiederherstellen: Fertige Dateien werden nur begrenzte Zeit aufbewahrt, und diese ist nicht mehr verfügbar.",
    delivered_stays: "Das Ergebnis wurde geliefert. Deshalb können wir die Credits nicht zurückbuchen, auch wenn es nicht Ihren Erwartungen entspricht. Beim nächsten Lauf hilft oft ein anderer Prompt oder ein anderes Referenzbild.",
    cancel_keeps: "Der Lauf wurde abgebrochen, nachdem das Modell schon mit der Arbeit begonnen hatte. Ab diesem Moment bleibt die Abbuchung bestehen.",
    deleted_keeps: "Das Projekt wurde gelöscht, während der Lauf bearbeitet wurde. Die Arbeit ist trotzdem entstanden, deshalb bleibt die Abbuchung bestehen.",
    not_charged: "Für diesen Lauf wurden keine Credits abgebucht, es gibt also nichts zurückzubuchen.",
    privacy_review: "Das hätte nicht passieren dürfen. Wir haben eine Datenschutzprüfung eingeleitet und gehen der Sache nach.",
    foreign_removed: "Wir haben die Datei, die nicht Ihnen gehört, aus Ihrem Projekt entfernt. Auf Ihre eigenen Dateien und Credits hat das keine Auswirkung.",
    owner_handles: "Wir klären das mit der Inhaberin oder dem Inhaber des Workspace. Da es den Workspace betrifft, wenden Sie sich für Einzelheiten bitte dorthin.",
    verify_identity: "Bevor wir der Sache nachgehen können, müssen wir sicher sein, dass wir mit der Kontoinhaberin oder dem Kontoinhaber sprechen. Bitte schreiben Sie uns von der E-Mail-Adresse des Kontos aus oder senden Sie uns angemeldet eine Nachricht aus dem Produkt.",
    ask_details: "Damit wir den richtigen Lauf finden, senden Sie uns bitte:",
    details: [
        "die Projekt-ID (aus der Adresse des Projekts oder aus den Projekteinstellungen)",
        "die Uhrzeit des Laufs mit Ihrer Zeitzone",
        "das verwendete Modell",
        "was Sie erwartet haben",
        "Screenshots der Arbeitsfläche und der Verbrauchszeile in der Abrechnung",
    ],
    linked_own: "Zu diesem Lauf haben Sie uns bereits am {when} geschrieben. Wir antworten Ihnen dort, damit nichts doppelt geschieht.",
    linked: "Zu diesem Lauf gibt es bereits eine offene Anfrage. Wir klären die Sache dort, damit nichts doppelt geschieht.",
    routed: "Das ist eine Frage für unser Abrechnungsteam. Wir haben Ihre Nachricht weitergegeben; Sie bekommen innerhalb eines Werktags hier eine Antwort.",
    months: [
        "Januar",
        "Februar",
        "März",
        "April",
        "Mai",
        "Juni",
        "Juli",
        "August",
        "September",
        "Oktober",
        "November",
        "Dezember",
    ],
};

fn cause(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::RequesterUnknown => "Wir wissen noch nicht, um wessen Konto es geht.",
        Verdict::OutOfScope => "Ihre Frage betrifft keinen einzelnen Lauf.",
        Verdict::ForeignAssetInProject => "In Ihrem Projekt wurde eine Datei angezeigt, die nicht dorthin gehört.",
        Verdict::NoMatch => "Wir konnten nicht sicher erkennen, welchen Lauf Sie meinen.",
        Verdict::NotCharged => "Der Lauf hat nichts gekostet.",
        Verdict::MisattributedOtherCustomer => {
            "Ihr Ergebnis wurde erstellt, aber durch einen Fehler bei uns an der falschen Stelle abgelegt."
        }
        Verdict::DuplicateCharge => "Der Lauf wurde mehr als einmal abgebucht.",
        Verdict::CancelledBeforeStart => {
            "Der Lauf wurde abgebrochen, bevor das Modell mit der Arbeit begonnen hatte. Er hätte also nichts kosten dürfen."
        }
        Verdict::CancelledAfterStart => "Der Lauf wurde abgebrochen, nachdem das Modell mit der Arbeit begonnen hatte.",
        Verdict::ProjectDeleted => "Ihr Ergebnis wurde erst fertig, nachdem das Projekt gelöscht worden war.",
        Verdict::MisattributedSameCustomer => {
            "Ihr Ergebnis wurde erstellt, ist aber durch einen Fehler bei uns an einer anderen Stelle gelandet."
        }
        Verdict::DeliveredNotOnCanvas => {
            "Ihr Ergebnis wurde erstellt und gespeichert; es liegt nur nicht auf der Arbeitsfläche."
        }
        Verdict::DeliveredOk => "Ihr Ergebnis wurde erstellt und liegt auf der Arbeitsfläche.",
        Verdict::PartialBatch => "Nicht alle Ergebnisse dieses Laufs sind in Ihrem Projekt angekommen.",
        Verdict::LateResult => "Das Ergebnis kam erst, als die Credits schon zurückgebucht waren.",
        Verdict::CorruptOutput => "Ihr Ergebnis wurde erstellt, die Datei wurde aber bei der Übertragung beschädigt.",
        Verdict::NeverSubmitted => "Durch einen Fehler bei uns hat der Lauf das Modell nie erreicht.",
        Verdict::ProviderUnreachable => "Der Stand beim Modell lässt sich im Moment nicht abfragen.",
        Verdict::InProgress => "Der Lauf wird noch bearbeitet.",
        Verdict::ProviderStalled => "Der Lauf wurde innerhalb von 24 Stunden nicht fertig und deshalb beendet.",
        Verdict::ProviderFiltered => {
            "Der Sicherheitsfilter des Modells hat das Ergebnis zurückgehalten. Das kann auch bei harmlosen Prompts vorkommen; oft hilft es, den Prompt umzuformulieren oder ein anderes Referenzbild zu nehmen."
        }
        Verdict::ProviderFailed => "Das Modell hat kein Ergebnis zurückgegeben.",
        Verdict::StorageQuotaExceeded => {
            "Ihr Ergebnis wurde erstellt, konnte aber nicht gespeichert werden, weil Ihr Speicher voll war."
        }
        Verdict::UploadFailed => {
            "Ihr Ergebnis wurde erstellt, konnte aber durch einen Fehler bei uns nicht gespeichert werden."
        }
        Verdict::WebhookLost => "Ihr Ergebnis wurde erstellt, aber die Nachricht darüber hat uns nicht erreicht.",
    }
}
