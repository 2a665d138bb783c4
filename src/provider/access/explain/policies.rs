//! What is said of policies that refuse shared keys.

use super::explanation::{Explanation, KEYS};
use crate::{
    arm::{StorageAccountId, policy_restrictions::Policy},
    framework::Summary,
};

pub(super) fn refuse_keys(account: &StorageAccountId, policies: &[Policy]) -> Explanation {
    let policies: Vec<_> = policies
        .iter()
        .map(|policy| format!("{}\n  of the definition {}", policy.assignment_id, policy.definition_id))
        .collect();
    let text = format!(
        "Once shared keys of {account} are disabled, these policy assignments are likely to refuse to enable them again:\n{}",
        policies.join("\n")
    );
    let next = "If the way back is to stay open, ask for an exemption of the account.";
    let in_run = "If it is not needed, set restore_on_destroy = false, or shared_access_key_enabled = false in restore_to, where \
                  foundryhub_storage_auth disables keys, so that destroying it does not try."
        .to_owned();
    let explanation = Explanation::new(Summary("Policies would refuse shared keys"), text, next);
    Explanation { attribute: Some(KEYS), in_run, ..explanation }
}
