BEGIN TRANSACTION;
CREATE TABLE action_usage (
	day DATE NOT NULL, 
	workspace_id CHAR(32) NOT NULL, 
	user_id CHAR(32) NOT NULL, 
	service_name TEXT NOT NULL, 
	action TEXT NOT NULL, 
	count INTEGER DEFAULT 1 NOT NULL, 
	CONSTRAINT pk_action_usage PRIMARY KEY (day, workspace_id, user_id, service_name, action), 
	CONSTRAINT fk_action_usage_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
	CONSTRAINT fk_action_usage_workspace_id_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id) ON DELETE CASCADE
);
INSERT INTO "action_usage" VALUES('2026-11-26','1e3285ababb143c9b0531c2533adec09','155b339782e64d9eabdcb729eda1d8f9','notes','publish',1);
INSERT INTO "action_usage" VALUES('2026-11-26','1e3285ababb143c9b0531c2533adec09','3600314c33804f78949a1f4b6c257cb5','notes','export',1);
CREATE TABLE activity_logs (
	id CHAR(32) NOT NULL, 
	action TEXT NOT NULL, 
	actor_id CHAR(32), 
	target_type TEXT NOT NULL, 
	target_id CHAR(32) NOT NULL, 
	workspace_id CHAR(32), 
	detail JSON, 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_activity_logs PRIMARY KEY (id), 
	CONSTRAINT fk_activity_logs_actor_id_users FOREIGN KEY(actor_id) REFERENCES users (id) ON DELETE SET NULL, 
	CONSTRAINT fk_activity_logs_workspace_id_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id) ON DELETE SET NULL
);
INSERT INTO "activity_logs" VALUES('096e8ac976b3431188b2a8ef137ab040','service_app_created',NULL,'service_app','5b595bb308d94177bfea7bbad625b451',NULL,'{"app": "Notes", "service_name": "notes"}','2026-11-26 02:56:43.506727');
INSERT INTO "activity_logs" VALUES('65bef73caff14d94a265213a4d3a5651','service_app_created',NULL,'service_app','f6966610d4f94047b83be7569c125ae6',NULL,'{"app": "Tasks", "service_name": "tasks"}','2026-11-26 02:56:45.506727');
INSERT INTO "activity_logs" VALUES('1098c0ca4ed046189627c418a22bd343','client_app_created',NULL,'client_app','fedf50fc5ca94ffb9d80e982777ab3d8',NULL,'{"app": "Notes"}','2026-11-26 02:56:46.506727');
INSERT INTO "activity_logs" VALUES('08ae1060db604e10af594f59f1aa5ea6','user_login','3600314c33804f78949a1f4b6c257cb5','user','3600314c33804f78949a1f4b6c257cb5',NULL,'{"provider": "corp", "ip": "127.0.0.1", "user_agent": "stage/1.0", "flow": "user"}','2026-11-26 02:56:47.506727');
INSERT INTO "activity_logs" VALUES('e2f0a057c0274490817de6f4cf5075bc','user_login','e1765b380aae403fab1585de03ee0650','user','e1765b380aae403fab1585de03ee0650',NULL,'{"provider": "corp", "ip": "127.0.0.1", "user_agent": "stage/1.0", "flow": "user"}','2026-11-26 02:56:47.506727');
INSERT INTO "activity_logs" VALUES('4b0d8260d2a6417db7869136eb23207e','user_login','155b339782e64d9eabdcb729eda1d8f9','user','155b339782e64d9eabdcb729eda1d8f9',NULL,'{"provider": "corp", "ip": "127.0.0.1", "user_agent": "stage/1.0", "flow": "user"}','2026-11-26 02:56:47.506727');
INSERT INTO "activity_logs" VALUES('5c521a89430745509c32a90a7f211b8a','user_login','1c772141580941fc8a3e5395ea242e1a','user','1c772141580941fc8a3e5395ea242e1a',NULL,'{"provider": "corp", "ip": "127.0.0.1", "user_agent": "stage/1.0", "flow": "user"}','2026-11-26 02:56:47.506727');
INSERT INTO "activity_logs" VALUES('e95d9ff19bee4d4c8679e0d65103b62c','user_logout','1c772141580941fc8a3e5395ea242e1a','user','1c772141580941fc8a3e5395ea242e1a',NULL,NULL,'2026-11-26 02:56:47.506727');
INSERT INTO "activity_logs" VALUES('dd08f8dfd3b14d0b98362cb3941f7169','group_created','3600314c33804f78949a1f4b6c257cb5','group','8cd901168c0147d1a8f7314b3189bf71','1e3285ababb143c9b0531c2533adec09','{"name": "Writers"}','2026-11-26 02:56:47.506727');
INSERT INTO "activity_logs" VALUES('bce5a7e868bf47928c2372380b88afea','group_member_added','3600314c33804f78949a1f4b6c257cb5','user','155b339782e64d9eabdcb729eda1d8f9','1e3285ababb143c9b0531c2533adec09','{"group_id": "8cd90116-8c01-47d1-a8f7-314b3189bf71"}','2026-11-26 02:56:47.506727');
INSERT INTO "activity_logs" VALUES('0980fa900ad05f0e9fb28b434af82f07','action_denied','e1765b380aae403fab1585de03ee0650','user','e1765b380aae403fab1585de03ee0650','1e3285ababb143c9b0531c2533adec09','{"service_name": "notes", "action": "publish", "count": 1}','2026-11-26 02:56:00.000000');
INSERT INTO "activity_logs" VALUES('42226656909b56c4bb1ff02b8dede553','action_denied','3600314c33804f78949a1f4b6c257cb5','user','3600314c33804f78949a1f4b6c257cb5','1e3285ababb143c9b0531c2533adec09','{"service_name": "notes", "action": "erase", "count": 1}','2026-11-26 02:56:00.000000');
INSERT INTO "activity_logs" VALUES('796bba702baf514f80925d391f50ecc5','action_denied','e1765b380aae403fab1585de03ee0650','user','e1765b380aae403fab1585de03ee0650','1e3285ababb143c9b0531c2533adec09','{"service_name": "notes", "action": "export", "count": 1}','2026-11-26 02:56:00.000000');
INSERT INTO "activity_logs" VALUES('7ce6ec8d2eab57bca6f5d798e77fc9c3','action_denied','155b339782e64d9eabdcb729eda1d8f9','user','155b339782e64d9eabdcb729eda1d8f9','1e3285ababb143c9b0531c2533adec09','{"service_name": "notes", "action": "erase", "count": 1}','2026-11-26 02:56:00.000000');
INSERT INTO "activity_logs" VALUES('a461fa916a3f594fb7a002559028617c','action_denied','e1765b380aae403fab1585de03ee0650','user','e1765b380aae403fab1585de03ee0650','1e3285ababb143c9b0531c2533adec09','{"service_name": "notes", "action": "erase", "count": 1}','2026-11-26 02:56:00.000000');
INSERT INTO "activity_logs" VALUES('d33501ab773d5accb047e12e2a50386c','action_denied','155b339782e64d9eabdcb729eda1d8f9','user','155b339782e64d9eabdcb729eda1d8f9','1e3285ababb143c9b0531c2533adec09','{"service_name": "notes", "action": "export", "count": 1}','2026-11-26 02:56:00.000000');
INSERT INTO "activity_logs" VALUES('e16dba32e15c532a84e610afa64ea1a0','action_denied','3600314c33804f78949a1f4b6c257cb5','user','3600314c33804f78949a1f4b6c257cb5','1e3285ababb143c9b0531c2533adec09','{"service_name": "notes", "action": "publish", "count": 1}','2026-11-26 02:56:00.000000');
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0005');
CREATE TABLE authorization_codes (
	code_hash CHAR(64) NOT NULL, 
	user_id CHAR(32) NOT NULL, 
	client_app_id CHAR(32) NOT NULL, 
	provider TEXT NOT NULL, 
	code_challenge TEXT, 
	code_challenge_method TEXT, 
	expires_at DATETIME NOT NULL, 
	CONSTRAINT pk_authorization_codes PRIMARY KEY (code_hash), 
	CONSTRAINT fk_authorization_codes_client_app_id_client_apps FOREIGN KEY(client_app_id) REFERENCES client_apps (id) ON DELETE CASCADE, 
	CONSTRAINT fk_authorization_codes_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE TABLE client_apps (
	id CHAR(32) NOT NULL, 
	name TEXT NOT NULL, 
	redirect_uris JSON NOT NULL, 
	is_active BOOLEAN DEFAULT 1 NOT NULL, 
	created_by CHAR(32), 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	updated_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_client_apps PRIMARY KEY (id), 
	CONSTRAINT fk_client_apps_created_by_users FOREIGN KEY(created_by) REFERENCES users (id) ON DELETE SET NULL
);
INSERT INTO "client_apps" VALUES('fedf50fc5ca94ffb9d80e982777ab3d8','Notes','["https://notes.example.com/callback"]',1,NULL,'2026-11-26 02:56:46.506727','2026-11-26 02:56:46.506727');
CREATE TABLE group_memberships (
	id CHAR(32) NOT NULL, 
	group_id CHAR(32) NOT NULL, 
	user_id CHAR(32) NOT NULL, 
	added_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_group_memberships PRIMARY KEY (id), 
	CONSTRAINT fk_group_memberships_group_id_groups FOREIGN KEY(group_id) REFERENCES groups (id) ON DELETE CASCADE, 
	CONSTRAINT fk_group_memberships_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
	CONSTRAINT uq_group_memberships_group_id_user_id UNIQUE (group_id, user_id)
);
INSERT INTO "group_memberships" VALUES('2aed7b1f14f14509a539579e56098457','8cd901168c0147d1a8f7314b3189bf71','155b339782e64d9eabdcb729eda1d8f9','2026-11-26 02:56:47.506727');
CREATE TABLE group_roles (
	id CHAR(32) NOT NULL, 
	group_id CHAR(32) NOT NULL, 
	role_id CHAR(32) NOT NULL, 
	assigned_by CHAR(32), 
	assigned_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_group_roles PRIMARY KEY (id), 
	CONSTRAINT fk_group_roles_assigned_by_users FOREIGN KEY(assigned_by) REFERENCES users (id) ON DELETE SET NULL, 
	CONSTRAINT fk_group_roles_group_id_groups FOREIGN KEY(group_id) REFERENCES groups (id) ON DELETE CASCADE, 
	CONSTRAINT fk_group_roles_role_id_roles FOREIGN KEY(role_id) REFERENCES roles (id) ON DELETE CASCADE, 
	CONSTRAINT uq_group_roles_group_id_role_id UNIQUE (group_id, role_id)
);
INSERT INTO "group_roles" VALUES('ba002701b9424ecb9bd25acb3f4b050d','8cd901168c0147d1a8f7314b3189bf71','b6e58d46787a42b28456ffcb418b90e4','3600314c33804f78949a1f4b6c257cb5','2026-11-26 02:56:48.506727');
CREATE TABLE groups (
	id CHAR(32) NOT NULL, 
	workspace_id CHAR(32) NOT NULL, 
	name TEXT NOT NULL, 
	description TEXT, 
	created_by CHAR(32), 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_groups PRIMARY KEY (id), 
	CONSTRAINT fk_groups_created_by_users FOREIGN KEY(created_by) REFERENCES users (id) ON DELETE SET NULL, 
	CONSTRAINT fk_groups_workspace_id_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id) ON DELETE CASCADE, 
	CONSTRAINT uq_groups_workspace_id_name UNIQUE (workspace_id, name)
);
INSERT INTO "groups" VALUES('8cd901168c0147d1a8f7314b3189bf71','1e3285ababb143c9b0531c2533adec09','Writers',NULL,'3600314c33804f78949a1f4b6c257cb5','2026-11-26 02:56:47.506727');
CREATE TABLE organization_domains (
	id CHAR(32) NOT NULL, 
	organization_id CHAR(32) NOT NULL, 
	domain TEXT NOT NULL, 
	include_subdomains BOOLEAN DEFAULT 0 NOT NULL, 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_organization_domains PRIMARY KEY (id), 
	CONSTRAINT fk_organization_domains_organization_id_organizations FOREIGN KEY(organization_id) REFERENCES organizations (id) ON DELETE CASCADE, 
	CONSTRAINT uq_organization_domains_domain UNIQUE (domain)
);
INSERT INTO "organization_domains" VALUES('fc1b9de3fddb4de9948908db636c0d2b','27ce6e99d00a4816a315bb135eaa158d','example.com',0,'2026-11-26 02:56:34.506727');
CREATE TABLE organizations (
	id CHAR(32) NOT NULL, 
	slug VARCHAR(63) NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	is_public BOOLEAN DEFAULT 0 NOT NULL, 
	enabled BOOLEAN DEFAULT 1 NOT NULL, 
	created_by CHAR(32), 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_organizations PRIMARY KEY (id), 
	CONSTRAINT fk_organizations_created_by_users FOREIGN KEY(created_by) REFERENCES users (id) ON DELETE SET NULL, 
	CONSTRAINT uq_organizations_slug UNIQUE (slug)
);
INSERT INTO "organizations" VALUES('00000000000000000000000000000001','public','Public',1,1,NULL,'2026-11-26 02:56:25.483834');
INSERT INTO "organizations" VALUES('27ce6e99d00a4816a315bb135eaa158d','example','Org',0,1,NULL,'2026-11-26 02:56:33.506727');
CREATE TABLE realms (
	id CHAR(32) NOT NULL, 
	slug VARCHAR(255) NOT NULL, 
	name TEXT NOT NULL, 
	m2m_ttl_s INTEGER DEFAULT (300) NOT NULL, 
	is_active BOOLEAN DEFAULT 1 NOT NULL, 
	created_by CHAR(32), 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	updated_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_realms PRIMARY KEY (id), 
	CONSTRAINT ck_realms_ck_realms_m2m_ttl_s CHECK (m2m_ttl_s BETWEEN 30 AND 3600), 
	CONSTRAINT fk_realms_created_by_users FOREIGN KEY(created_by) REFERENCES users (id) ON DELETE SET NULL, 
	CONSTRAINT uq_realms_slug UNIQUE (slug)
);
INSERT INTO "realms" VALUES('5f76c9cedd1c46b789ada2dd3bc5da48','suite','Suite',300,1,NULL,'2026-11-26 02:56:44.506727','2026-11-26 02:56:44.506727');
CREATE TABLE refresh_families (
	id CHAR(32) NOT NULL, 
	user_id CHAR(32) NOT NULL, 
	workspace_id CHAR(32) NOT NULL, 
	client_app_id CHAR(32), 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	last_ip TEXT, 
	last_user_agent TEXT, 
	revoked_at DATETIME, 
	revoke_reason TEXT, 
	CONSTRAINT pk_refresh_families PRIMARY KEY (id), 
	CONSTRAINT fk_refresh_families_client_app_id_client_apps FOREIGN KEY(client_app_id) REFERENCES client_apps (id) ON DELETE SET NULL, 
	CONSTRAINT fk_refresh_families_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
	CONSTRAINT fk_refresh_families_workspace_id_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id) ON DELETE CASCADE
);
INSERT INTO "refresh_families" VALUES('e731c75f4ed94a71a24f147cd2ee6ab0','3600314c33804f78949a1f4b6c257cb5','1e3285ababb143c9b0531c2533adec09','fedf50fc5ca94ffb9d80e982777ab3d8','2026-11-26 02:56:47.506727','127.0.0.1','stage/1.0',NULL,NULL);
INSERT INTO "refresh_families" VALUES('368deff9c6f444808deae9cc5f2a7538','e1765b380aae403fab1585de03ee0650','1e3285ababb143c9b0531c2533adec09','fedf50fc5ca94ffb9d80e982777ab3d8','2026-11-26 02:56:47.506727','127.0.0.1','stage/1.0',NULL,NULL);
INSERT INTO "refresh_families" VALUES('703e00c45c4041eaa01830b0853be3c9','155b339782e64d9eabdcb729eda1d8f9','1e3285ababb143c9b0531c2533adec09','fedf50fc5ca94ffb9d80e982777ab3d8','2026-11-26 02:56:47.506727','127.0.0.1','stage/1.0',NULL,NULL);
INSERT INTO "refresh_families" VALUES('ed907f1e7732499e8c522ec6afc13175','1c772141580941fc8a3e5395ea242e1a','1e3285ababb143c9b0531c2533adec09','fedf50fc5ca94ffb9d80e982777ab3d8','2026-11-26 02:56:47.506727','127.0.0.1','stage/1.0','2026-11-26 02:56:47.506727','logout');
CREATE TABLE refresh_tokens (
	jti CHAR(32) NOT NULL, 
	family_id CHAR(32) NOT NULL, 
	access_jti CHAR(32) NOT NULL, 
	access_expires_at DATETIME NOT NULL, 
	issued_at DATETIME NOT NULL, 
	expires_at DATETIME NOT NULL, 
	consumed_at DATETIME, 
	CONSTRAINT pk_refresh_tokens PRIMARY KEY (jti), 
	CONSTRAINT fk_refresh_tokens_family_id_refresh_families FOREIGN KEY(family_id) REFERENCES refresh_families (id) ON DELETE CASCADE
);
INSERT INTO "refresh_tokens" VALUES('67a79ba464844a2b859af9eef7a97569','e731c75f4ed94a71a24f147cd2ee6ab0','16f9fc15d2f54b68942d4b747df36c1d','2026-11-26 03:11:47.000000','2026-11-26 02:56:47.506727','2026-12-03 02:56:47.000000',NULL);
INSERT INTO "refresh_tokens" VALUES('8bd5841a2e394a3d8ab619f0f16731b0','368deff9c6f444808deae9cc5f2a7538','603539a667a540fea97c63618904c874','2026-11-26 03:11:47.000000','2026-11-26 02:56:47.506727','2026-12-03 02:56:47.000000',NULL);
INSERT INTO "refresh_tokens" VALUES('f3e746a269984131ab31fe89aaeebb5b','703e00c45c4041eaa01830b0853be3c9','45009ff32f494221b29aa008406c37c9','2026-11-26 03:11:47.000000','2026-11-26 02:56:47.506727','2026-12-03 02:56:47.000000','2026-11-26 02:56:47.506727');
INSERT INTO "refresh_tokens" VALUES('0be93a24e4264ed192c59279131d4b5e','703e00c45c4041eaa01830b0853be3c9','fc068ce077ba47d68aba22826096742a','2026-11-26 03:11:47.000000','2026-11-26 02:56:47.506727','2026-12-03 02:56:47.000000',NULL);
CREATE TABLE resource_permissions (
	id CHAR(32) NOT NULL, 
	service_name TEXT NOT NULL, 
	resource_type TEXT NOT NULL, 
	resource_id CHAR(32) NOT NULL, 
	workspace_id CHAR(32) NOT NULL, 
	owner_id CHAR(32), 
	visibility TEXT DEFAULT 'workspace' NOT NULL, 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_resource_permissions PRIMARY KEY (id), 
	CONSTRAINT ck_resource_permissions_ck_resource_permissions_visibility CHECK (visibility IN ('private', 'workspace')), 
	CONSTRAINT fk_resource_permissions_owner_id_users FOREIGN KEY(owner_id) REFERENCES users (id) ON DELETE SET NULL, 
	CONSTRAINT fk_resource_permissions_workspace_id_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id) ON DELETE CASCADE, 
	CONSTRAINT uq_resource_permissions_service_name_resource_type_resource_id UNIQUE (service_name, resource_type, resource_id)
);
INSERT INTO "resource_permissions" VALUES('98495f9a16a84907a898b55d340fe6f2','notes','document','42f42ff9df505b758c16cbe77cbfbbf1','1e3285ababb143c9b0531c2533adec09','3600314c33804f78949a1f4b6c257cb5','workspace','2026-11-26 02:56:47.506727');
INSERT INTO "resource_permissions" VALUES('6d0f11415a694a85b06d7ad00e981230','notes','document','239080f3488258a7bc7938505d4d50a3','1e3285ababb143c9b0531c2533adec09','3600314c33804f78949a1f4b6c257cb5','private','2026-11-26 02:56:47.506727');
INSERT INTO "resource_permissions" VALUES('5f6480d7464a46eb95c397c647c13a7d','notes','document','c5f0f74506285e748b55d4f1723e07e4','1e3285ababb143c9b0531c2533adec09','3600314c33804f78949a1f4b6c257cb5','private','2026-11-26 02:56:47.506727');
INSERT INTO "resource_permissions" VALUES('7b41b701565f47c3be2c4d6b59993e80','notes','document','6fbdb7903ad4546396f386f6a3bd7c84','1e3285ababb143c9b0531c2533adec09','3600314c33804f78949a1f4b6c257cb5','private','2026-11-26 02:56:47.506727');
INSERT INTO "resource_permissions" VALUES('65b6ad38c41241afbfb8e15275ebb37d','notes','document','633f109e0bd252a6aed0eed426da5aa4','1e3285ababb143c9b0531c2533adec09','3600314c33804f78949a1f4b6c257cb5','private','2026-11-26 02:56:47.506727');
INSERT INTO "resource_permissions" VALUES('4da094d4f3b14f2db72a6ea7a9b4c9fb','notes','document','a50cfad526e05c558fcc80fafeca6715','1e3285ababb143c9b0531c2533adec09','3600314c33804f78949a1f4b6c257cb5','private','2026-11-26 02:56:47.506727');
CREATE TABLE resource_shares (
	id CHAR(32) NOT NULL, 
	resource_permission_id CHAR(32) NOT NULL, 
	grantee_type TEXT NOT NULL, 
	grantee_id CHAR(32) NOT NULL, 
	permission TEXT NOT NULL, 
	granted_by CHAR(32), 
	granted_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_resource_shares PRIMARY KEY (id), 
	CONSTRAINT ck_resource_shares_ck_resource_shares_grantee_type CHECK (grantee_type IN ('user', 'group')), 
	CONSTRAINT ck_resource_shares_ck_resource_shares_permission CHECK (permission IN ('view', 'edit')), 
	CONSTRAINT fk_resource_shares_granted_by_users FOREIGN KEY(granted_by) REFERENCES users (id) ON DELETE SET NULL, 
	CONSTRAINT fk_resource_shares_resource_permission_id_resource_permissions FOREIGN KEY(resource_permission_id) REFERENCES resource_permissions (id) ON DELETE CASCADE, 
	CONSTRAINT uq_resource_shares_grantee UNIQUE (resource_permission_id, grantee_type, grantee_id)
);
INSERT INTO "resource_shares" VALUES('6bc6dbb37872474bb8a2097db729089f','5f6480d7464a46eb95c397c647c13a7d','user','e1765b380aae403fab1585de03ee0650','view','3600314c33804f78949a1f4b6c257cb5','2026-11-26 02:56:47.506727');
INSERT INTO "resource_shares" VALUES('1d1415cc973d4dae9379d363c305ae5b','7b41b701565f47c3be2c4d6b59993e80','group','8cd901168c0147d1a8f7314b3189bf71','edit','3600314c33804f78949a1f4b6c257cb5','2026-11-26 02:56:47.506727');
INSERT INTO "resource_shares" VALUES('118a534689c043ac870047960b209f0b','65b6ad38c41241afbfb8e15275ebb37d','user','e1765b380aae403fab1585de03ee0650','view','3600314c33804f78949a1f4b6c257cb5','2026-11-26 02:56:47.506727');
INSERT INTO "resource_shares" VALUES('f7b2e5963e6b4cd79958d7f63c9577f4','65b6ad38c41241afbfb8e15275ebb37d','group','8cd901168c0147d1a8f7314b3189bf71','edit','3600314c33804f78949a1f4b6c257cb5','2026-11-26 02:56:47.506727');
CREATE TABLE revoked_tokens (
	jti CHAR(32) NOT NULL, 
	expires_at DATETIME NOT NULL, 
	CONSTRAINT pk_revoked_tokens PRIMARY KEY (jti)
);
INSERT INTO "revoked_tokens" VALUES('053664817c694b869b14ffe37569b145','2026-11-26 03:11:47.000000');
INSERT INTO "revoked_tokens" VALUES('255ce78ebca152faa54fa2accb87f2a1','2026-11-26 02:56:47.506727');
CREATE TABLE role_actions (
	id CHAR(32) NOT NULL, 
	role_id CHAR(32) NOT NULL, 
	service_action_id CHAR(32) NOT NULL, 
	CONSTRAINT pk_role_actions PRIMARY KEY (id), 
	CONSTRAINT fk_role_actions_role_id_roles FOREIGN KEY(role_id) REFERENCES roles (id) ON DELETE CASCADE, 
	CONSTRAINT fk_role_actions_service_action_id_service_actions FOREIGN KEY(service_action_id) REFERENCES service_actions (id) ON DELETE CASCADE, 
	CONSTRAINT uq_role_actions_role_id_service_action_id UNIQUE (role_id, service_action_id)
);
INSERT INTO "role_actions" VALUES('2578b536ff1b477a8349b52d78663d0e','b6e58d46787a42b28456ffcb418b90e4','8b6cd4c7d73e4a568ebd2f33a1313c53');
INSERT INTO "role_actions" VALUES('93de59eca8c145389fcb95dac407f4bf','591ec44e63ac45cb845e97f82269eb88','14522c41a26945479560cdc4f8376667');
CREATE TABLE roles (
	id CHAR(32) NOT NULL, 
	workspace_id CHAR(32) NOT NULL, 
	name TEXT NOT NULL, 
	description TEXT, 
	created_by CHAR(32), 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_roles PRIMARY KEY (id), 
	CONSTRAINT fk_roles_created_by_users FOREIGN KEY(created_by) REFERENCES users (id) ON DELETE SET NULL, 
	CONSTRAINT fk_roles_workspace_id_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id) ON DELETE CASCADE, 
	CONSTRAINT uq_roles_workspace_id_name UNIQUE (workspace_id, name)
);
INSERT INTO "roles" VALUES('b6e58d46787a42b28456ffcb418b90e4','1e3285ababb143c9b0531c2533adec09','Press','…','3600314c33804f78949a1f4b6c257cb5','2026-11-26 02:56:47.506727');
INSERT INTO "roles" VALUES('591ec44e63ac45cb845e97f82269eb88','1e3285ababb143c9b0531c2533adec09','Office','…','3600314c33804f78949a1f4b6c257cb5','2026-11-26 02:56:47.506727');
CREATE TABLE service_actions (
	id CHAR(32) NOT NULL, 
	service_name TEXT NOT NULL, 
	action TEXT NOT NULL, 
	description TEXT, 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_service_actions PRIMARY KEY (id), 
	CONSTRAINT uq_service_actions_service_name_action UNIQUE (service_name, action)
);
INSERT INTO "service_actions" VALUES('0a2fa770c61f4f27a0d435e2a54b7de2','notes','erase','To erase','2026-11-26 02:56:47.506727');
INSERT INTO "service_actions" VALUES('14522c41a26945479560cdc4f8376667','notes','export','To export','2026-11-26 02:56:47.506727');
INSERT INTO "service_actions" VALUES('8b6cd4c7d73e4a568ebd2f33a1313c53','notes','publish','To publish','2026-11-26 02:56:47.506727');
CREATE TABLE service_apps (
	id CHAR(32) NOT NULL, 
	name TEXT NOT NULL, 
	service_name VARCHAR(255) NOT NULL, 
	key_hash CHAR(64) NOT NULL, 
	key_prefix VARCHAR(12) NOT NULL, 
	previous_key_hash CHAR(64), 
	previous_key_expires_at DATETIME, 
	is_active BOOLEAN DEFAULT 1 NOT NULL, 
	allowed_origins JSON NOT NULL, 
	allowed_idp_audiences JSON NOT NULL, 
	realm_id CHAR(32), 
	last_used_at DATETIME, 
	created_by CHAR(32), 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	updated_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_service_apps PRIMARY KEY (id), 
	CONSTRAINT fk_service_apps_created_by_users FOREIGN KEY(created_by) REFERENCES users (id) ON DELETE SET NULL, 
	CONSTRAINT fk_service_apps_realm_id_realms FOREIGN KEY(realm_id) REFERENCES realms (id) ON DELETE SET NULL, 
	CONSTRAINT uq_service_apps_key_hash UNIQUE (key_hash), 
	CONSTRAINT uq_service_apps_previous_key_hash UNIQUE (previous_key_hash), 
	CONSTRAINT uq_service_apps_service_name UNIQUE (service_name)
);
INSERT INTO "service_apps" VALUES('5b595bb308d94177bfea7bbad625b451','Notes','notes','e47d7e740a101236ad651c8f453811088e2c5743161cc26ae39853a0af192d22','sk_pq5U****',NULL,NULL,1,'[]','[]',NULL,'2026-11-26 02:56:49.506727',NULL,'2026-11-26 02:56:43.506727','2026-11-26 02:56:43.506727');
INSERT INTO "service_apps" VALUES('f6966610d4f94047b83be7569c125ae6','Tasks','tasks','42970dce461eb5490330b27ce9eea361592afd6684e52f119ff837b4a5c8b2b1','sk_btC1****',NULL,NULL,1,'[]','[]','5f76c9cedd1c46b789ada2dd3bc5da48',NULL,NULL,'2026-11-26 02:56:45.506727','2026-11-26 02:56:45.506727');
CREATE TABLE sign_in_memory (
	user_id CHAR(32) NOT NULL, 
	kind TEXT NOT NULL, 
	value TEXT NOT NULL, 
	first_seen DATETIME NOT NULL, 
	last_seen DATETIME NOT NULL, 
	CONSTRAINT pk_sign_in_memory PRIMARY KEY (user_id, kind, value), 
	CONSTRAINT ck_sign_in_memory_ck_sign_in_memory_kind CHECK (kind IN ('country', 'device')), 
	CONSTRAINT fk_sign_in_memory_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);
INSERT INTO "sign_in_memory" VALUES('3600314c33804f78949a1f4b6c257cb5','device','Other / Other','2026-11-26 02:56:47.506727','2026-11-26 02:56:47.506727');
INSERT INTO "sign_in_memory" VALUES('e1765b380aae403fab1585de03ee0650','device','Other / Other','2026-11-26 02:56:47.506727','2026-11-26 02:56:47.506727');
INSERT INTO "sign_in_memory" VALUES('155b339782e64d9eabdcb729eda1d8f9','device','Other / Other','2026-11-26 02:56:47.506727','2026-11-26 02:56:47.506727');
INSERT INTO "sign_in_memory" VALUES('1c772141580941fc8a3e5395ea242e1a','device','Other / Other','2026-11-26 02:56:47.506727','2026-11-26 02:56:47.506727');
INSERT INTO "sign_in_memory" VALUES('3600314c33804f78949a1f4b6c257cb5','country','AT','2026-11-26 02:56:47.506727','2026-11-26 02:56:47.506727');
CREATE TABLE social_accounts (
	id CHAR(32) NOT NULL, 
	user_id CHAR(32) NOT NULL, 
	provider TEXT NOT NULL, 
	provider_user_id TEXT NOT NULL, 
	provider_data JSON, 
	CONSTRAINT pk_social_accounts PRIMARY KEY (id), 
	CONSTRAINT fk_social_accounts_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
	CONSTRAINT uq_social_accounts_provider_provider_user_id UNIQUE (provider, provider_user_id)
);
INSERT INTO "social_accounts" VALUES('1aa5a260840c458ba65b681d11e21b43','3600314c33804f78949a1f4b6c257cb5','corp','sub-ada','{}');
INSERT INTO "social_accounts" VALUES('50010158299d4faab72d6b7e7e94671a','e1765b380aae403fab1585de03ee0650','corp','sub-grace','{}');
INSERT INTO "social_accounts" VALUES('df5a8acd49b54c87b69e20a4bd91b24c','155b339782e64d9eabdcb729eda1d8f9','corp','sub-linus','{}');
INSERT INTO "social_accounts" VALUES('30601a0b1cd343598cb6e89934ce335d','1c772141580941fc8a3e5395ea242e1a','corp','sub-gone','{}');
CREATE TABLE user_roles (
	id CHAR(32) NOT NULL, 
	user_id CHAR(32) NOT NULL, 
	role_id CHAR(32) NOT NULL, 
	assigned_by CHAR(32), 
	assigned_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_user_roles PRIMARY KEY (id), 
	CONSTRAINT fk_user_roles_assigned_by_users FOREIGN KEY(assigned_by) REFERENCES users (id) ON DELETE SET NULL, 
	CONSTRAINT fk_user_roles_role_id_roles FOREIGN KEY(role_id) REFERENCES roles (id) ON DELETE CASCADE, 
	CONSTRAINT fk_user_roles_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
	CONSTRAINT uq_user_roles_user_id_role_id UNIQUE (user_id, role_id)
);
INSERT INTO "user_roles" VALUES('9ea8cee765a743969ff225d19b1f0b25','3600314c33804f78949a1f4b6c257cb5','591ec44e63ac45cb845e97f82269eb88','3600314c33804f78949a1f4b6c257cb5','2026-11-26 02:56:48.506727');
CREATE TABLE users (
	id CHAR(32) NOT NULL, 
	email TEXT NOT NULL, 
	name TEXT NOT NULL, 
	avatar_url TEXT, 
	is_active BOOLEAN DEFAULT 1 NOT NULL, 
	is_admin BOOLEAN DEFAULT 0 NOT NULL, 
	organization_id CHAR(32), 
	token_epoch INTEGER DEFAULT 0 NOT NULL, 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	updated_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_users PRIMARY KEY (id), 
	CONSTRAINT fk_users_organization_id_organizations FOREIGN KEY(organization_id) REFERENCES organizations (id) ON DELETE SET NULL, 
	CONSTRAINT uq_users_email UNIQUE (email)
);
INSERT INTO "users" VALUES('3600314c33804f78949a1f4b6c257cb5','ada@example.com','Ada Élan',NULL,1,0,'27ce6e99d00a4816a315bb135eaa158d',0,'2026-11-26 02:56:25.506727','2026-11-26 02:56:47.506727');
INSERT INTO "users" VALUES('e1765b380aae403fab1585de03ee0650','grace@example.com','Grace Élan',NULL,1,0,'27ce6e99d00a4816a315bb135eaa158d',0,'2026-11-26 02:56:27.506727','2026-11-26 02:56:47.506727');
INSERT INTO "users" VALUES('155b339782e64d9eabdcb729eda1d8f9','linus@example.com','Linus Élan',NULL,1,0,'27ce6e99d00a4816a315bb135eaa158d',0,'2026-11-26 02:56:29.506727','2026-11-26 02:56:47.506727');
INSERT INTO "users" VALUES('1c772141580941fc8a3e5395ea242e1a','gone@example.com','Gone Élan',NULL,1,0,'27ce6e99d00a4816a315bb135eaa158d',1,'2026-11-26 02:56:31.506727','2026-11-26 02:56:47.506727');
CREATE TABLE workspace_allowed_organizations (
	id CHAR(32) NOT NULL, 
	workspace_id CHAR(32) NOT NULL, 
	organization_id CHAR(32) NOT NULL, 
	CONSTRAINT pk_workspace_allowed_organizations PRIMARY KEY (id), 
	CONSTRAINT fk_workspace_allowed_organizations_organization_id FOREIGN KEY(organization_id) REFERENCES organizations (id) ON DELETE RESTRICT, 
	CONSTRAINT fk_workspace_allowed_organizations_workspace_id_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id) ON DELETE CASCADE, 
	CONSTRAINT uq_workspace_allowed_organizations_workspace_id_organization_id UNIQUE (workspace_id, organization_id)
);
INSERT INTO "workspace_allowed_organizations" VALUES('665b7fc92a214d70ab3b04e1659acd2e','728521f9b84841edb35fd606dc02bc78','27ce6e99d00a4816a315bb135eaa158d');
CREATE TABLE workspace_invitations (
	id CHAR(32) NOT NULL, 
	workspace_id CHAR(32) NOT NULL, 
	code_hash CHAR(64) NOT NULL, 
	email TEXT, 
	role TEXT NOT NULL, 
	created_by CHAR(32), 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	expires_at DATETIME NOT NULL, 
	accepted_by CHAR(32), 
	accepted_at DATETIME, 
	revoked_at DATETIME, 
	CONSTRAINT pk_workspace_invitations PRIMARY KEY (id), 
	CONSTRAINT ck_workspace_invitations_ck_workspace_invitations_role CHECK (role IN ('admin', 'editor', 'viewer')), 
	CONSTRAINT fk_workspace_invitations_accepted_by_users FOREIGN KEY(accepted_by) REFERENCES users (id) ON DELETE SET NULL, 
	CONSTRAINT fk_workspace_invitations_created_by_users FOREIGN KEY(created_by) REFERENCES users (id) ON DELETE SET NULL, 
	CONSTRAINT fk_workspace_invitations_workspace_id_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id) ON DELETE CASCADE, 
	CONSTRAINT uq_workspace_invitations_code_hash UNIQUE (code_hash)
);
CREATE TABLE workspace_memberships (
	id CHAR(32) NOT NULL, 
	workspace_id CHAR(32) NOT NULL, 
	user_id CHAR(32) NOT NULL, 
	role TEXT NOT NULL, 
	joined_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_workspace_memberships PRIMARY KEY (id), 
	CONSTRAINT ck_workspace_memberships_ck_workspace_memberships_role CHECK (role IN ('owner', 'admin', 'editor', 'viewer')), 
	CONSTRAINT fk_workspace_memberships_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
	CONSTRAINT fk_workspace_memberships_workspace_id_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id) ON DELETE CASCADE, 
	CONSTRAINT uq_workspace_memberships_workspace_id_user_id UNIQUE (workspace_id, user_id)
);
INSERT INTO "workspace_memberships" VALUES('a0391ba278b94e45a6741b2f587f1be0','1e3285ababb143c9b0531c2533adec09','3600314c33804f78949a1f4b6c257cb5','owner','2026-11-26 02:56:36.506727');
INSERT INTO "workspace_memberships" VALUES('48a18367ca944fdcab35e5b152745fc0','728521f9b84841edb35fd606dc02bc78','e1765b380aae403fab1585de03ee0650','owner','2026-11-26 02:56:38.506727');
INSERT INTO "workspace_memberships" VALUES('d4c2395e05db41a0a9118b68e6314016','1e3285ababb143c9b0531c2533adec09','e1765b380aae403fab1585de03ee0650','admin','2026-11-26 02:56:39.506727');
INSERT INTO "workspace_memberships" VALUES('3383b3fc13744446871ce8f8a90b3014','1e3285ababb143c9b0531c2533adec09','155b339782e64d9eabdcb729eda1d8f9','viewer','2026-11-26 02:56:40.506727');
INSERT INTO "workspace_memberships" VALUES('03a3b9cfaa274bafacf3aa61970830b5','1e3285ababb143c9b0531c2533adec09','1c772141580941fc8a3e5395ea242e1a','editor','2026-11-26 02:56:41.506727');
CREATE TABLE workspaces (
	id CHAR(32) NOT NULL, 
	slug TEXT NOT NULL, 
	name TEXT NOT NULL, 
	description TEXT, 
	created_by CHAR(32), 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_workspaces PRIMARY KEY (id), 
	CONSTRAINT fk_workspaces_created_by_users FOREIGN KEY(created_by) REFERENCES users (id) ON DELETE SET NULL, 
	CONSTRAINT uq_workspaces_slug UNIQUE (slug)
);
INSERT INTO "workspaces" VALUES('1e3285ababb143c9b0531c2533adec09','acme','Acme · Österreich',NULL,'3600314c33804f78949a1f4b6c257cb5','2026-11-26 02:56:35.506727');
INSERT INTO "workspaces" VALUES('728521f9b84841edb35fd606dc02bc78','elsewhere','Acme',NULL,'e1765b380aae403fab1585de03ee0650','2026-11-26 02:56:37.506727');
CREATE UNIQUE INDEX uq_organizations_public ON organizations (is_public) WHERE is_public;
CREATE INDEX ix_revoked_tokens_expires_at ON revoked_tokens (expires_at);
CREATE INDEX ix_service_actions_service_name ON service_actions (service_name);
CREATE INDEX ix_organization_domains_organization_id ON organization_domains (organization_id);
CREATE UNIQUE INDEX uq_users_lower_email ON users (lower(email));
CREATE INDEX ix_social_accounts_user_id ON social_accounts (user_id);
CREATE INDEX ix_action_usage_workspace_id ON action_usage (workspace_id);
CREATE INDEX ix_authorization_codes_client_app_id ON authorization_codes (client_app_id);
CREATE INDEX ix_authorization_codes_expires_at ON authorization_codes (expires_at);
CREATE INDEX ix_authorization_codes_user_id ON authorization_codes (user_id);
CREATE INDEX ix_refresh_families_client_app_id ON refresh_families (client_app_id);
CREATE INDEX ix_refresh_families_user_id ON refresh_families (user_id);
CREATE INDEX ix_refresh_families_workspace_id ON refresh_families (workspace_id);
CREATE INDEX ix_resource_permissions_owner_id ON resource_permissions (owner_id);
CREATE INDEX ix_resource_permissions_reach ON resource_permissions (workspace_id, service_name, resource_type, created_at, id);
CREATE INDEX ix_roles_workspace_id ON roles (workspace_id);
CREATE INDEX ix_service_apps_is_active ON service_apps (is_active);
CREATE INDEX ix_service_apps_realm_id ON service_apps (realm_id);
CREATE INDEX ix_workspace_allowed_organizations_organization_id ON workspace_allowed_organizations (organization_id);
CREATE INDEX ix_workspace_allowed_organizations_workspace_id ON workspace_allowed_organizations (workspace_id);
CREATE INDEX ix_workspace_invitations_workspace_id ON workspace_invitations (workspace_id);
CREATE INDEX ix_workspace_memberships_user_id ON workspace_memberships (user_id);
CREATE INDEX ix_group_memberships_user_id ON group_memberships (user_id);
CREATE INDEX ix_group_roles_group_id ON group_roles (group_id);
CREATE INDEX ix_group_roles_role_id ON group_roles (role_id);
CREATE INDEX ix_refresh_tokens_expires_at ON refresh_tokens (expires_at);
CREATE INDEX ix_refresh_tokens_family_id ON refresh_tokens (family_id);
CREATE INDEX ix_resource_shares_grantee_type_grantee_id ON resource_shares (grantee_type, grantee_id);
CREATE INDEX ix_role_actions_role_id ON role_actions (role_id);
CREATE INDEX ix_role_actions_service_action_id ON role_actions (service_action_id);
CREATE INDEX ix_user_roles_user_id ON user_roles (user_id);
CREATE INDEX ix_resource_permissions_created_at_id ON resource_permissions (created_at, id);
CREATE INDEX ix_resource_permissions_workspace_id_created_at_id ON resource_permissions (workspace_id, created_at, id);
CREATE INDEX ix_resource_permissions_service_name_created_at_id ON resource_permissions (service_name, created_at, id);
CREATE INDEX ix_resource_permissions_resource_id ON resource_permissions (resource_id);
CREATE INDEX ix_sign_in_memory_last_seen ON sign_in_memory (last_seen);
CREATE INDEX ix_activity_logs_created_at_id_action ON activity_logs (created_at, id, action);
CREATE INDEX ix_activity_logs_action_created_at_id ON activity_logs (action, created_at, id);
CREATE INDEX ix_activity_logs_actor_id_created_at_id ON activity_logs (actor_id, created_at, id);
CREATE INDEX ix_activity_logs_target_type_created_at_id ON activity_logs (target_type, created_at, id);
CREATE INDEX ix_activity_logs_target_type_target_id_created_at_id ON activity_logs (target_type, target_id, created_at, id);
CREATE INDEX ix_activity_logs_workspace_id_created_at_id ON activity_logs (workspace_id, created_at, id);
CREATE INDEX ix_users_created_at_id ON users (created_at, id);
CREATE INDEX ix_users_is_active_created_at_id ON users (is_active, created_at, id);
CREATE INDEX ix_users_organization_id_email ON users (organization_id, email);
CREATE INDEX ix_workspaces_created_at_id ON workspaces (created_at, id);
CREATE INDEX ix_workspace_memberships_workspace_id_joined_at_user_id ON workspace_memberships (workspace_id, joined_at, user_id);
CREATE INDEX ix_groups_workspace_id_created_at_id ON groups (workspace_id, created_at, id);
CREATE INDEX ix_group_memberships_group_id_added_at_user_id ON group_memberships (group_id, added_at, user_id);
CREATE INDEX ix_user_roles_role_id_assigned_at_user_id ON user_roles (role_id, assigned_at, user_id);
CREATE INDEX ix_action_usage_grant ON action_usage (user_id, workspace_id, service_name, action, day);
CREATE INDEX ix_users_administrators ON users (created_at, id) WHERE is_admin = 1;
COMMIT;
