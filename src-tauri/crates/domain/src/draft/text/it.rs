//! Italian. Times come with their article: `il 15 aprile`, `l’8 aprile`.

use super::{Counted, PerBalance, Phrases};
use crate::diagnose::Verdict;

pub(super) static IT: Phrases = Phrases {
    greeting: "Buongiorno,",
    closing: "Cordiali saluti,\nIl team di assistenza",
    and: " e ",
    comma: ", ",
    space: " ",
    credits: Counted { one: "{n} credito", other: "{n} crediti" },
    run_charged: "progetto “{project}”, {model}, avviata {when}, {credits}",
    run_free: "progetto “{project}”, {model}, avviata {when}",
    confirm_one: "Abbiamo esaminato questa esecuzione: {run}.",
    confirm_many: "Abbiamo esaminato queste esecuzioni:",
    cause,
    wait_until: "Al più tardi {when} il risultato sarà nel progetto oppure i crediti saranno stati restituiti. Non deve fare nulla.",
    still_running: "L’esecuzione è ancora in corso di elaborazione.",
    lookup_pending: "Non siamo ancora riusciti a sapere che cosa ne è stato della sua esecuzione e continuiamo a verificare. Il termine è {when}: se allora non avremo ancora una risposta, i crediti le saranno restituiti.",
    to_balance: PerBalance {
        quota: "{credits} sulla sua quota mensile",
        pool: "{credits} sulla riserva dell’area di lavoro",
        wallet: "{credits} sul suo portafoglio",
        workspace_wallet: "{credits} sul portafoglio dell’area di lavoro",
    },
    refund_posted: "I crediti sono già stati restituiti: {lines}, {when}. Può verificarlo in Impostazioni, Fatturazione.",
    redebit: "Il risultato può ancora esserle consegnato in cambio di quanto restituito ({credits}). Se lo desidera, risponda a questo messaggio; senza il suo consenso non viene addebitato nulla.",
    from_balance: PerBalance {
        quota: "{credits} dalla sua quota mensile",
        pool: "{credits} dalla riserva dell’area di lavoro",
        wallet: "{credits} dal suo portafoglio",
        workspace_wallet: "{credits} dal portafoglio dell’area di lavoro",
    },
    released: "Con il consenso che ci ha dato {when}, abbiamo addebitato di nuovo i crediti restituiti: {lines}. Può verificarlo in Impostazioni, Fatturazione.",
    released_to: "Il suo risultato si trova ora {place}. Non occorre ripetere l’esecuzione.",
    restored: "Abbiamo riaccreditato {lines}.",
    to_workspace: "L’esecuzione è stata pagata dall’area di lavoro, perciò i crediti sono tornati a quest’ultima e non a un saldo personale.",
    to_current_period: "Il periodo di fatturazione dell’addebito è terminato, perciò i crediti sono stati aggiunti al periodo in corso, oltre a quanto già previsto.",
    to_wallet: "L’abbonamento da cui proveniva l’addebito è terminato, perciò i crediti sono andati sul portafoglio dello stesso account.",
    excluded: "L’esecuzione non conta più nel suo totale di utilizzo.",
    excluded_part: "Nel suo totale di utilizzo l’esecuzione conta ora per {credits}.",
    duplicate_removed: "L’addebito di {credits} registrato {when} era un doppione ed è stato annullato. Il primo addebito resta valido.",
    at_node: "nel progetto “{project}”, sulla tela, in corrispondenza di “{node}”",
    in_history: "nella cronologia delle generazioni del progetto “{project}”",
    history_entry: "nella cronologia delle generazioni del progetto “{project}”, alla voce “{model}” ({when})",
    recovered: "Il suo risultato si trova ora {place}. Non occorre ripetere l’esecuzione e non ci sono altri costi.",
    moved: "Abbiamo spostato il suo risultato nel posto giusto: ora si trova {place}.",
    on_hold: "Conserviamo il risultato per lei; il termine è {when}.",
    free_space: "Nel suo spazio di archiviazione non c’è posto per il file. Liberi almeno {size} e risponda a questo messaggio; lo metteremo allora nel suo progetto.",
    free_some_space: "Nel suo spazio di archiviazione non c’è posto per il file. Liberi dello spazio e risponda a questo messaggio; lo metteremo allora nel suo progetto.",
    location: "Il suo risultato si trova {place}.",
    drag_back: "Può trascinarlo dalla cronologia sulla tela in qualsiasi momento, senza costi.",
    item_by_item: "Elemento per elemento:",
    item: Counted { one: "Elemento {items}: {what}", other: "Elementi {items}: {what}" },
    items_of: "Per {run}:",
    item_delivered: "già nel suo progetto",
    item_recovered: "recupero riuscito, ora nel suo progetto",
    item_restored: "restituzione di {credits}",
    item_held: "in custodia per lei",
    item_waiting: "in attesa",
    item_refunded: "crediti già restituiti",
    item_open: "senza consegna; l’addebito resta valido",
    kept_until: "Il file non può più essere recuperato: i file terminati vengono conservati solo per un tempo limitato, e il termine per questo era {when}.",
    no_longer_kept: "Il file non può più essere recuperato: i file terminati vengono conservati solo per un tempo limitato, e questo non è più disponibile.",
    delivered_stays: "Il risultato è stato consegnato, perciò i crediti non possono essere restituiti, anche se non è come lo sperava. Nella prossima esecuzione spesso aiuta cambiare il prompt o l’immagine di riferimento.",
    cancel_keeps: "L’esecuzione è stata annullata quando il modello aveva già iniziato a lavorare. Da quel momento l’addebito resta valido.",
    deleted_keeps: "Il progetto è stato eliminato mentre l’esecuzione era in corso. Il lavoro è stato svolto comunque, perciò l’addebito resta valido.",
    not_charged: "Per questa esecuzione non è stato addebitato alcun credito, perciò non c’è nulla da restituire.",
    privacy_review: "Questo non sarebbe dovuto accadere. Abbiamo aperto una verifica sulla privacy e stiamo esaminando l’accaduto.",
    foreign_removed: "Abbiamo rimosso dal suo progetto il file che non le appartiene. I suoi file e i suoi crediti non ne risentono.",
    owner_handles: "Stiamo risolvendo la questione con il proprietario dell’area di lavoro. Poiché riguarda l’area di lavoro, per i dettagli si rivolga al proprietario.",
    verify_identity: "Prima di esaminare il caso dobbiamo essere certi di parlare con il titolare dell’account. Ci scriva dall’indirizzo e-mail dell’account oppure ci invii un messaggio dall’interno del prodotto dopo aver effettuato l’accesso.",
    ask_details: "Per trovare l’esecuzione giusta, ci invii per favore:",
    details: [
        "l’ID del progetto (si trova nell’indirizzo del progetto o nelle sue impostazioni)",
        "l’ora dell’esecuzione, con il suo fuso orario",
        "il modello utilizzato",
        "che cosa si aspettava",
        "le schermate della tela e della riga di utilizzo in Fatturazione",
    ],
    linked_own: "Ci ha già scritto a proposito di questa esecuzione {when}. Le rispondiamo lì, in modo che nulla venga fatto due volte.",
    linked: "Esiste già una richiesta aperta su questa esecuzione. La risolviamo lì, in modo che nulla venga fatto due volte.",
    routed: "Questa domanda riguarda il nostro team di fatturazione. Abbiamo inoltrato il suo messaggio; riceverà una risposta qui entro un giorno lavorativo.",
    months: [
        "gennaio",
        "febbraio",
        "marzo",
        "aprile",
        "maggio",
        "giugno",
        "luglio",
        "agosto",
        "settembre",
        "ottobre",
        "novembre",
        "dicembre",
    ],
};

fn cause(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::RequesterUnknown => "Non sappiamo ancora di chi sia l’account.",
        Verdict::OutOfScope => "La sua domanda non riguarda una singola esecuzione.",
        Verdict::ForeignAssetInProject => "Nel suo progetto compariva un file che non doveva trovarsi lì.",
        Verdict::NoMatch => "Non siamo riusciti a stabilire con certezza a quale esecuzione si riferisce.",
        Verdict::NotCharged => "L’esecuzione non è costata nulla.",
        Verdict::MisattributedOtherCustomer => {
            "Il suo risultato è stato creato, ma per un nostro errore è stato archiviato nel posto sbagliato."
        }
        Verdict::DuplicateCharge => "L’esecuzione è stata addebitata più di una volta.",
        Verdict::CancelledBeforeStart => {
            "L’esecuzione è stata annullata prima che il modello iniziasse a lavorare, perciò non sarebbe dovuta costare nulla."
        }
        Verdict::CancelledAfterStart => {
            "L’esecuzione è stata annullata quando il modello aveva già iniziato a lavorare."
        }
        Verdict::ProjectDeleted => "Il suo risultato è stato completato dopo l’eliminazione del progetto.",
        Verdict::MisattributedSameCustomer => {
            "Il suo risultato è stato creato, ma per un nostro errore è finito in un altro posto."
        }
        Verdict::DeliveredNotOnCanvas => "Il suo risultato è stato creato e salvato; semplicemente non è sulla tela.",
        Verdict::DeliveredOk => "Il suo risultato è stato creato e si trova sulla tela.",
        Verdict::PartialBatch => "Non tutti i risultati di questa esecuzione sono arrivati nel suo progetto.",
        Verdict::LateResult => "Il risultato è arrivato solo quando i crediti erano già stati restituiti.",
        Verdict::CorruptOutput => {
            "Il suo risultato è stato creato, ma il file si è danneggiato durante il trasferimento."
        }
        Verdict::NeverSubmitted => "Per un nostro guasto l’esecuzione non è mai arrivata al modello.",
        Verdict::ProviderUnreachable => "Al momento non è possibile verificare lo stato presso il modello.",
        Verdict::InProgress => "L’esecuzione è ancora in corso di elaborazione.",
        Verdict::ProviderStalled => "L’esecuzione non si è conclusa entro 24 ore ed è stata quindi terminata.",
        Verdict::ProviderFiltered => {
            "Il filtro di sicurezza del modello ha trattenuto il risultato. Può succedere anche con prompt innocui; spesso aiuta riformulare il prompt o usare un’altra immagine di riferimento."
        }
        Verdict::ProviderFailed => "Il modello non ha restituito alcun risultato.",
        Verdict::StorageQuotaExceeded => {
            "Il suo risultato è stato creato, ma non è stato possibile salvarlo perché il suo spazio di archiviazione era pieno."
        }
        Verdict::UploadFailed => "Il suo risultato è stato creato, ma un nostro guasto ne ha impedito il salvataggio.",
        Verdict::WebhookLost => "Il suo risultato è stato creato, ma l’avviso che era pronto non ci è arrivato.",
    }
}
