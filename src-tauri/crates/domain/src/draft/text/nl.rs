//! Dutch.

use super::{Counted, PerBalance, Phrases};
use crate::diagnose::Verdict;

pub(super) static NL: Phrases = Phrases {
    greeting: "Hallo,",
    closing: "Met vriendelijke groet,\nHet supportteam",
    and: " en ",
    comma: ", ",
    space: " ",
    credits: Counted { one: "{n} credit", other: "{n} credits" },
    run_charged: "project ‘{project}’, {model}, gestart op {when}, {credits}",
    run_free: "project ‘{project}’, {model}, gestart op {when}",
    confirm_one: "We hebben naar deze run gekeken: {run}.",
    confirm_many: "We hebben naar deze runs gekeken:",
    cause,
    wait_until: "Uiterlijk op {when} staat je resultaat in het project of heb je je credits terug. Je hoeft niets te doen.",
    still_running: "De run wordt nog verwerkt.",
    lookup_pending: "We hebben nog niet kunnen achterhalen wat er met je run is gebeurd en blijven het navragen tot {when}. Hebben we dan nog geen antwoord, dan krijg je je credits terug.",
    to_balance: PerBalance {
        quota: "{credits} naar je maandelijkse credits",
        pool: "{credits} naar de gedeelde credits van de werkruimte",
        wallet: "{credits} naar je tegoed",
        workspace_wallet: "{credits} naar het tegoed van de werkruimte",
    },
    refund_posted: "De credits zijn al teruggeboekt: {lines}, op {when}. Je ziet dit bij Instellingen, Facturering.",
    redebit: "Je kunt het resultaat nog krijgen in ruil voor wat is teruggeboekt ({credits}). Wil je dat, beantwoord dan dit bericht; zonder je toestemming wordt er niets afgeschreven.",
    from_balance: PerBalance {
        quota: "{credits} van je maandelijkse credits",
        pool: "{credits} van de gedeelde credits van de werkruimte",
        wallet: "{credits} van je tegoed",
        workspace_wallet: "{credits} van het tegoed van de werkruimte",
    },
    released: "Met je toestemming van {when} hebben we de teruggeboekte credits opnieuw afgeschreven: {lines}. Je ziet dit bij Instellingen, Facturering.",
    released_to: "Je resultaat staat nu {place}. Je hoeft de run niet te herhalen.",
    restored: "We hebben teruggeboekt: {lines}.",
    to_workspace: "De werkruimte heeft deze run betaald, dus de credits zijn daarnaar teruggegaan en niet naar een persoonlijk tegoed.",
    to_current_period: "De factureringsperiode van de afschrijving is voorbij, dus de credits zijn opgeteld bij je huidige periode, boven op wat daarin zit.",
    to_wallet: "Het abonnement achter de afschrijving is beëindigd, dus de credits zijn naar het tegoed van hetzelfde account gegaan.",
    excluded: "De run telt niet meer mee in je totale verbruik.",
    excluded_part: "In je totale verbruik telt de run nu mee voor {credits}.",
    duplicate_removed: "De afschrijving van {credits} op {when} was dubbel en is teruggedraaid. De eerste afschrijving blijft staan.",
    at_node: "in project ‘{project}’, op het canvas bij ‘{node}’",
    in_history: "in de generatiegeschiedenis van project ‘{project}’",
    history_entry: "in de generatiegeschiedenis van project ‘{project}’, bij ‘{model}’ van {when}",
    recovered: "Je resultaat staat nu {place}. Je hoeft de run niet te herhalen en het kost niets extra.",
    moved: "We hebben je resultaat op de juiste plek gezet: het staat nu {place}.",
    on_hold: "We bewaren je resultaat voor je tot {when}.",
    free_space: "Er is geen plaats voor in je opslag. Maak minstens {size} vrij en beantwoord dit bericht; dan zetten we het bestand in je project.",
    free_some_space: "Er is geen plaats voor in je opslag. Maak ruimte vrij en beantwoord dit bericht; dan zetten we het bestand in je project.",
    location: "Je resultaat staat {place}.",
    drag_back: "Je kunt het op elk moment gratis vanuit de geschiedenis terug naar het canvas slepen.",
    item_by_item: "Per onderdeel:",
    item: Counted { one: "Onderdeel {items}: {what}", other: "Onderdelen {items}: {what}" },
    items_of: "Voor {run}:",
    item_delivered: "geleverd",
    item_recovered: "hersteld, staat nu in je project",
    item_restored: "{credits} teruggeboekt",
    item_held: "voor je bewaard",
    item_waiting: "nog in afwachting",
    item_refunded: "credits al teruggeboekt",
    item_open: "niet geleverd; de afschrijving blijft staan",
    kept_until: "Het bestand zelf kan niet meer worden teruggehaald: voltooide bestanden worden maar beperkte tijd bewaard en dit bestand was beschikbaar tot {when}.",
    no_longer_kept: "Het bestand zelf kan niet meer worden teruggehaald: voltooide bestanden worden maar beperkte tijd bewaard en dit bestand is niet meer beschikbaar.",
    delivered_stays: "Het resultaat is geleverd, dus de credits kunnen niet worden teruggeboekt, ook als het niet is wat je hoopte. Een andere prompt of een andere referentieafbeelding helpt vaak bij de volgende run.",
    cancel_keeps: "De run is geannuleerd toen het model er al aan begonnen was. Vanaf dat moment blijft de afschrijving staan.",
    deleted_keeps: "Het project is verwijderd terwijl de run werd verwerkt. Het werk is toch gedaan, dus de afschrijving blijft staan.",
    not_charged: "Voor deze run zijn geen credits afgeschreven, dus er is niets om terug te boeken.",
    privacy_review: "Dit had niet mogen gebeuren. We hebben een privacyonderzoek geopend en zoeken uit wat er is gebeurd.",
    foreign_removed: "We hebben het bestand dat niet van jou is uit je project verwijderd. Het heeft geen gevolgen voor je eigen bestanden of credits.",
    owner_handles: "We handelen dit af met de eigenaar van de werkruimte. Omdat het om de werkruimte gaat, kun je voor details bij de eigenaar terecht.",
    verify_identity: "Voordat we dit kunnen bekijken, moeten we zeker weten dat we met de accounthouder te maken hebben. Schrijf ons vanaf het e-mailadres van het account of stuur ons een bericht vanuit het product terwijl je bent ingelogd.",
    ask_details: "Stuur ons het volgende, zodat we de juiste run kunnen vinden:",
    details: [
        "de project-ID (uit het adres van het project of uit de instellingen ervan)",
        "het tijdstip van de run, met je tijdzone",
        "het model dat je hebt gebruikt",
        "wat je verwachtte",
        "schermafbeeldingen van het canvas en van de verbruiksregel bij Facturering",
    ],
    linked_own: "Je hebt ons op {when} al over deze run geschreven. We antwoorden je daar, zodat niets dubbel gebeurt.",
    linked: "Er staat al een verzoek over deze run open. We handelen het daar af, zodat niets dubbel gebeurt.",
    routed: "Dit is een vraag voor ons factureringsteam. We hebben je bericht doorgegeven; je krijgt hier binnen één werkdag antwoord.",
    months: [
        "januari",
        "februari",
        "maart",
        "april",
        "mei",
        "juni",
        "juli",
        "augustus",
        "september",
        "oktober",
        "november",
        "december",
    ],
};

fn cause(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::RequesterUnknown => "We weten nog niet om wiens account het gaat.",
        Verdict::OutOfScope => "Je vraag gaat niet over een bepaalde run.",
        Verdict::ForeignAssetInProject => "In je project stond een bestand dat daar niet hoort.",
        Verdict::NoMatch => "We konden niet met zekerheid vaststellen welke run je bedoelt.",
        Verdict::NotCharged => "De run heeft niets gekost.",
        Verdict::MisattributedOtherCustomer => {
            "Je resultaat is gemaakt, maar door een fout bij ons op de verkeerde plek opgeslagen."
        }
        Verdict::DuplicateCharge => "De run is meer dan één keer afgeschreven.",
        Verdict::CancelledBeforeStart => {
            "De run is geannuleerd voordat het model eraan begon en had dus niets mogen kosten."
        }
        Verdict::CancelledAfterStart => "De run is geannuleerd toen het model er al aan begonnen was.",
        Verdict::ProjectDeleted => "Je resultaat kwam pas klaar nadat het project was verwijderd.",
        Verdict::MisattributedSameCustomer => {
            "Je resultaat is gemaakt, maar door een fout bij ons op een andere plek terechtgekomen."
        }
        Verdict::DeliveredNotOnCanvas => "Je resultaat is gemaakt en opgeslagen; het staat alleen niet op het canvas.",
        Verdict::DeliveredOk => "Je resultaat is gemaakt en staat op het canvas.",
        Verdict::PartialBatch => "Niet alle resultaten van deze run zijn in je project aangekomen.",
        Verdict::LateResult => "Het resultaat kwam pas toen de credits al waren teruggeboekt.",
        Verdict::CorruptOutput => {
            "Je resultaat is gemaakt, maar het bestand is tijdens de overdracht beschadigd geraakt."
        }
        Verdict::NeverSubmitted => "Door een storing bij ons heeft de run het model nooit bereikt.",
        Verdict::ProviderUnreachable => "De stand bij het model kan op dit moment niet worden opgevraagd.",
        Verdict::InProgress => "De run wordt nog verwerkt.",
        Verdict::ProviderStalled => "De run was na 24 uur nog niet klaar en is daarom beëindigd.",
        Verdict::ProviderFiltered => {
            "Het veiligheidsfilter van het model heeft het resultaat tegengehouden. Dat kan ook bij onschuldige prompts gebeuren; vaak helpt het om de prompt anders te formuleren of een andere referentieafbeelding te gebruiken."
        }
        Verdict::ProviderFailed => "Het model heeft geen resultaat teruggegeven.",
        Verdict::StorageQuotaExceeded => {
            "Je resultaat is gemaakt, maar kon niet worden opgeslagen omdat je opslag vol was."
        }
        Verdict::UploadFailed => "Je resultaat is gemaakt, maar kon door een storing bij ons niet worden opgeslagen.",
        Verdict::WebhookLost => "Je resultaat is gemaakt, maar het bericht dat het klaar was heeft ons niet bereikt.",
    }
}
