//! French. Spaces before double punctuation and inside guillemets do not break.

use super::{Counted, PerBalance, Phrases};
use crate::diagnose::Verdict;

pub(super) static FR: Phrases = Phrases {
    greeting: "Bonjour,",
    closing: "Cordialement,\nL’équipe d’assistance",
    and: " et ",
    comma: ", ",
    space: " ",
    credits: Counted { one: "{n} crédit", other: "{n} crédits" },
    run_charged: "projet « {project} », {model}, lancée le {when}, {credits}",
    run_free: "projet « {project} », {model}, lancée le {when}",
    confirm_one: "Nous avons examiné cette exécution : {run}.",
    confirm_many: "Nous avons examiné ces exécutions :",
    cause,
    wait_until: "Au plus tard le {when}, soit votre résultat sera dans le projet, soit vos crédits vous auront été rendus. Vous n’avez rien à faire.",
    still_running: "L’exécution est encore en cours de traitement.",
    lookup_pending: "Nous n’avons pas encore pu savoir ce qu’est devenue votre exécution et nous continuons à interroger le système jusqu’au {when}. Si nous n’avons toujours pas de réponse à ce moment-là, vos crédits vous seront rendus.",
    to_balance: PerBalance {
        quota: "{credits} sur votre quota mensuel",
        pool: "{credits} sur la réserve de l’espace de travail",
        wallet: "{credits} sur votre portefeuille",
        workspace_wallet: "{credits} sur le portefeuille de l’espace de travail",
    },
    refund_posted: "Les crédits ont déjà été rendus : {lines}, le {when}. Vous pouvez le vérifier dans Paramètres, Facturation.",
    redebit: "Le résultat peut encore vous être remis en échange de ce qui a été rendu ({credits}). Si vous le souhaitez, répondez simplement à ce message ; sans votre accord, rien n’est débité.",
    from_balance: PerBalance {
        quota: "{credits} de votre quota mensuel",
        pool: "{credits} de la réserve de l’espace de travail",
        wallet: "{credits} de votre portefeuille",
        workspace_wallet: "{credits} du portefeuille de l’espace de travail",
    },
    released: "Avec votre accord du {when}, nous avons débité de nouveau les crédits rendus : {lines}. Vous pouvez le vérifier dans Paramètres, Facturation.",
    released_to: "Votre résultat se trouve maintenant {place}. Il n’est pas nécessaire de relancer l’exécution.",
    restored: "Nous avons recrédité {lines}.",
    to_workspace: "C’est l’espace de travail qui a payé cette exécution : les crédits lui ont donc été rendus, et non à un solde personnel.",
    to_current_period: "La période de facturation du débit est terminée : les crédits ont donc été ajoutés à votre période en cours, en plus de ce qu’elle comprend.",
    to_wallet: "L’abonnement à l’origine du débit a pris fin : les crédits sont donc allés sur le portefeuille du même compte.",
    excluded: "L’exécution ne compte plus dans votre total d’utilisation.",
    excluded_part: "Dans votre total d’utilisation, l’exécution compte désormais pour {credits}.",
    duplicate_removed: "Le débit de {credits} du {when} était un doublon et a été annulé. Le premier débit est maintenu.",
    at_node: "dans le projet « {project} », sur le canevas, à l’emplacement « {node} »",
    in_history: "dans l’historique des générations du projet « {project} »",
    history_entry: "dans l’historique des générations du projet « {project} », à l’entrée « {model} » du {when}",
    recovered: "Votre résultat se trouve maintenant {place}. Il n’est pas nécessaire de relancer l’exécution, et cela ne coûte rien de plus.",
    moved: "Nous avons remis votre résultat au bon endroit : il se trouve maintenant {place}.",
    on_hold: "Nous conservons votre résultat jusqu’au {when}.",
    free_space: "Votre espace de stockage n’a pas assez de place pour lui. Libérez au moins {size} et répondez à ce message ; nous placerons alors le fichier dans votre projet.",
    free_some_space: "Votre espace de stockage n’a pas assez de place pour lui. Libérez de la place et répondez à ce message ; nous placerons alors le fichier dans votre projet.",
    location: "Votre résultat se trouve {place}.",
    drag_back: "Vous pouvez à tout moment le faire glisser de l’historique vers le canevas, sans frais.",
    item_by_item: "Élément par élément :",
    item: Counted { one: "Élément {items} : {what}", other: "Éléments {items} : {what}" },
    items_of: "Pour {run} :",
    item_delivered: "déjà dans votre projet",
    item_recovered: "récupération réussie, désormais dans votre projet",
    item_restored: "restitution de {credits}",
    item_held: "en conservation pour vous",
    item_waiting: "en attente",
    item_refunded: "crédits déjà rendus",
    item_open: "sans livraison ; le débit est maintenu",
    kept_until: "Le fichier lui-même ne peut plus être récupéré : les fichiers terminés ne sont conservés que pour une durée limitée, et celui-ci était disponible jusqu’au {when}.",
    no_longer_kept: "Le fichier lui-même ne peut plus être récupéré : les fichiers terminés ne sont conservés que pour une durée limitée, et celui-ci n’est plus disponible.",
    delivered_stays: "Le résultat a été livré ; les crédits ne peuvent donc pas être rendus, même s’il ne correspond pas à ce que vous espériez. Modifier le prompt ou l’image de référence aide souvent lors de l’exécution suivante.",
    cancel_keeps: "L’exécution a été annulée alors que le modèle avait déjà commencé à travailler. À partir de ce moment, le débit est maintenu.",
    deleted_keeps: "Le projet a été supprimé pendant le traitement de l’exécution. Le travail a tout de même été fait ; le débit est donc maintenu.",
    not_charged: "Aucun crédit n’a été débité pour cette exécution ; il n’y a donc rien à rendre.",
    privacy_review: "Cela n’aurait pas dû arriver. Nous avons ouvert un examen de confidentialité et nous étudions ce qui s’est passé.",
    foreign_removed: "Nous avons retiré de votre projet le fichier qui ne vous appartient pas. Cela n’a aucun effet sur vos propres fichiers ni sur vos crédits.",
    owner_handles: "Nous réglons ce point avec la personne propriétaire de l’espace de travail. Comme il concerne l’espace de travail, adressez-vous à elle pour les détails.",
    verify_identity: "Avant d’examiner votre demande, nous devons être sûrs de parler au titulaire du compte. Écrivez-nous depuis l’adresse e-mail du compte ou envoyez-nous un message depuis le produit en étant connecté.",
    ask_details: "Pour trouver la bonne exécution, merci de nous envoyer :",
    details: [
        "l’identifiant du projet (il figure dans l’adresse du projet ou dans ses paramètres)",
        "l’heure de l’exécution, avec votre fuseau horaire",
        "le modèle utilisé",
        "ce que vous attendiez",
        "des captures d’écran du canevas et de la ligne d’utilisation dans Facturation",
    ],
    linked_own: "Vous nous avez déjà écrit à propos de cette exécution le {when}. C’est dans ce premier échange que nous vous répondons, afin que rien ne soit fait deux fois.",
    linked: "Une demande est déjà ouverte à propos de cette exécution. C’est dans celle-ci que nous réglons la question, afin que rien ne soit fait deux fois.",
    routed: "Cette question relève de notre équipe de facturation. Nous lui avons transmis votre message ; elle vous répondra ici sous un jour ouvré.",
    months: [
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ],
};

fn cause(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::RequesterUnknown => "Nous ne savons pas encore de quel compte il s’agit.",
        Verdict::OutOfScope => "Votre question ne porte pas sur une exécution en particulier.",
        Verdict::ForeignAssetInProject => "Un fichier qui n’a rien à y faire apparaissait dans votre projet.",
        Verdict::NoMatch => "Nous n’avons pas pu déterminer avec certitude de quelle exécution vous parlez.",
        Verdict::NotCharged => "L’exécution n’a rien coûté.",
        Verdict::MisattributedOtherCustomer => {
            "Votre résultat a bien été produit, mais une erreur de notre part l’a rangé au mauvais endroit."
        }
        Verdict::DuplicateCharge => "L’exécution a été débitée plus d’une fois.",
        Verdict::CancelledBeforeStart => {
            "L’exécution a été annulée avant que le modèle ne commence à travailler ; elle n’aurait donc rien dû coûter."
        }
        Verdict::CancelledAfterStart => {
            "L’exécution a été annulée alors que le modèle avait déjà commencé à travailler."
        }
        Verdict::ProjectDeleted => "Votre résultat a été terminé après la suppression du projet.",
        Verdict::MisattributedSameCustomer => {
            "Votre résultat a bien été produit, mais une erreur de notre part l’a placé ailleurs."
        }
        Verdict::DeliveredNotOnCanvas => {
            "Votre résultat a bien été produit et enregistré ; il n’est simplement pas sur le canevas."
        }
        Verdict::DeliveredOk => "Votre résultat a bien été produit et se trouve sur le canevas.",
        Verdict::PartialBatch => "Tous les résultats de cette exécution ne sont pas arrivés dans votre projet.",
        Verdict::LateResult => "Le résultat n’est arrivé qu’après la restitution des crédits.",
        Verdict::CorruptOutput => {
            "Votre résultat a bien été produit, mais le fichier a été endommagé lors du transfert."
        }
        Verdict::NeverSubmitted => "À cause d’un défaut de notre côté, l’exécution n’est jamais parvenue au modèle.",
        Verdict::ProviderUnreachable => "Il n’est pas possible pour le moment de consulter l’état auprès du modèle.",
        Verdict::InProgress => "L’exécution est encore en cours de traitement.",
        Verdict::ProviderStalled => "L’exécution ne s’est pas terminée en 24 heures ; il y a donc été mis fin.",
        Verdict::ProviderFiltered => {
            "Le filtre de sécurité du modèle a retenu le résultat. Cela peut arriver même avec des prompts anodins ; reformuler le prompt ou utiliser une autre image de référence aide souvent."
        }
        Verdict::ProviderFailed => "Le modèle n’a renvoyé aucun résultat.",
        Verdict::StorageQuotaExceeded => {
            "Votre résultat a bien été produit, mais n’a pas pu être enregistré, car votre espace de stockage était plein."
        }
        Verdict::UploadFailed => {
            "Votre résultat a bien été produit, mais un défaut de notre côté a empêché son enregistrement."
        }
        Verdict::WebhookLost => {
            "Votre résultat a bien été produit, mais le message qui l’annonçait ne nous est pas parvenu."
        }
    }
}
