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
INSERT INTO "action_usage" VALUES('2026-11-26','39e7df55fb984d3992aa8966588f0005','8a7ba428b6c746b88438152c06adb074','notes','publish',1);
INSERT INTO "action_usage" VALUES('2026-11-26','39e7df55fb984d3992aa8966588f0005','e2d14928a9234064b2ccf3e5d61c988d','notes','export',1);
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
INSERT INTO "activity_logs" VALUES('1af0bf8cf22b4a18b31e6ec4a509af4d','service_app_created',NULL,'service_app','7c2a5b99210a4b1ea609d854d5382395',NULL,'{"app": "Notes", "service_name": "notes"}','2026-11-26 14:04:30.288047');
INSERT INTO "activity_logs" VALUES('51b4cce08595418f93ac8b6f601aa6b3','service_app_created',NULL,'service_app','a1727fe072a6408aa0fcbb724305c0cb',NULL,'{"app": "Tasks", "service_name": "tasks"}','2026-11-26 14:04:32.288047');
INSERT INTO "activity_logs" VALUES('d1ec2f9a61d74f78ae13d48db1156d3c','client_app_created',NULL,'client_app','c30e97fe685c4fb2b436b9365b7bd055',NULL,'{"app": "Notes"}','2026-11-26 14:04:33.288047');
INSERT INTO "activity_logs" VALUES('e8575e69d5c7421996cb3b5780621218','user_login','e2d14928a9234064b2ccf3e5d61c988d','user','e2d14928a9234064b2ccf3e5d61c988d',NULL,'{"provider": "corp", "ip": "127.0.0.1", "user_agent": "stage/1.0", "flow": "user"}','2026-11-26 14:04:34.288047');
INSERT INTO "activity_logs" VALUES('5b4291a3d22f4f25ac7aacda4139714c','user_login','5c0d6e3bc9b94d628c78e0889af27b64','user','5c0d6e3bc9b94d628c78e0889af27b64',NULL,'{"provider": "corp", "ip": "127.0.0.1", "user_agent": "stage/1.0", "flow": "user"}','2026-11-26 14:04:34.288047');
INSERT INTO "activity_logs" VALUES('f9b85f3284d34a1eb6726563f5bba72d','user_login','8a7ba428b6c746b88438152c06adb074','user','8a7ba428b6c746b88438152c06adb074',NULL,'{"provider": "corp", "ip": "127.0.0.1", "user_agent": "stage/1.0", "flow": "user"}','2026-11-26 14:04:34.288047');
INSERT INTO "activity_logs" VALUES('58fbac50ab5f49bb8e27efea2853523a','user_login','aff24d2ce79f468cb4a03cbbf70e7b5b','user','aff24d2ce79f468cb4a03cbbf70e7b5b',NULL,'{"provider": "corp", "ip": "127.0.0.1", "user_agent": "stage/1.0", "flow": "user"}','2026-11-26 14:04:34.288047');
INSERT INTO "activity_logs" VALUES('47ec039a79224a68bb43f9474eaeafdc','user_logout','aff24d2ce79f468cb4a03cbbf70e7b5b','user','aff24d2ce79f468cb4a03cbbf70e7b5b',NULL,NULL,'2026-11-26 14:04:34.288047');
INSERT INTO "activity_logs" VALUES('01a7a77522254760838ae6b3fef1b92e','group_created','e2d14928a9234064b2ccf3e5d61c988d','group','f0c75570b4a14180bf1d7cddaab28065','39e7df55fb984d3992aa8966588f0005','{"name": "Writers"}','2026-11-26 14:04:34.288047');
INSERT INTO "activity_logs" VALUES('469e8afe35c84c92b14f5f55aa36a021','group_member_added','e2d14928a9234064b2ccf3e5d61c988d','user','8a7ba428b6c746b88438152c06adb074','39e7df55fb984d3992aa8966588f0005','{"group_id": "f0c75570-b4a1-4180-bf1d-7cddaab28065"}','2026-11-26 14:04:34.288047');
INSERT INTO "activity_logs" VALUES('2aa1ab743328556b96add8dac5e84b0a','action_denied','5c0d6e3bc9b94d628c78e0889af27b64','user','5c0d6e3bc9b94d628c78e0889af27b64','39e7df55fb984d3992aa8966588f0005','{"service_name": "notes", "action": "export", "count": 1}','2026-11-26 14:04:00.000000');
INSERT INTO "activity_logs" VALUES('3a68952c049a58258ecde4918740886a','action_denied','8a7ba428b6c746b88438152c06adb074','user','8a7ba428b6c746b88438152c06adb074','39e7df55fb984d3992aa8966588f0005','{"service_name": "notes", "action": "export", "count": 1}','2026-11-26 14:04:00.000000');
INSERT INTO "activity_logs" VALUES('6b55b8c6e14657019f0e337e71737f9e','action_denied','e2d14928a9234064b2ccf3e5d61c988d','user','e2d14928a9234064b2ccf3e5d61c988d','39e7df55fb984d3992aa8966588f0005','{"service_name": "notes", "action": "erase", "count": 1}','2026-11-26 14:04:00.000000');
INSERT INTO "activity_logs" VALUES('896525e647695dd089852f3fd64a0c3c','action_denied','5c0d6e3bc9b94d628c78e0889af27b64','user','5c0d6e3bc9b94d628c78e0889af27b64','39e7df55fb984d3992aa8966588f0005','{"service_name": "notes", "action": "erase", "count": 1}','2026-11-26 14:04:00.000000');
INSERT INTO "activity_logs" VALUES('934dca12e10d5fb6925a045bd9dfb351','action_denied','8a7ba428b6c746b88438152c06adb074','user','8a7ba428b6c746b88438152c06adb074','39e7df55fb984d3992aa8966588f0005','{"service_name": "notes", "action": "erase", "count": 1}','2026-11-26 14:04:00.000000');
INSERT INTO "activity_logs" VALUES('9377c44bfc4d503eae4ef8fb4963475b','action_denied','5c0d6e3bc9b94d628c78e0889af27b64','user','5c0d6e3bc9b94d628c78e0889af27b64','39e7df55fb984d3992aa8966588f0005','{"service_name": "notes", "action": "publish", "count": 1}','2026-11-26 14:04:00.000000');
INSERT INTO "activity_logs" VALUES('ce324a6db9dc5b2da9f79742f405305f','action_denied','e2d14928a9234064b2ccf3e5d61c988d','user','e2d14928a9234064b2ccf3e5d61c988d','39e7df55fb984d3992aa8966588f0005','{"service_name": "notes", "action": "publish", "count": 1}','2026-11-26 14:04:00.000000');
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0007');
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
INSERT INTO "client_apps" VALUES('c30e97fe685c4fb2b436b9365b7bd055','Notes','["https://notes.example.com/callback"]',1,NULL,'2026-11-26 14:04:33.288047','2026-11-26 14:04:33.288047');
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
INSERT INTO "group_memberships" VALUES('b5317d090e004535922813ffd40409f5','f0c75570b4a14180bf1d7cddaab28065','8a7ba428b6c746b88438152c06adb074','2026-11-26 14:04:34.288047');
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
INSERT INTO "group_roles" VALUES('042322dede41448cb17d747ca15b0eb1','f0c75570b4a14180bf1d7cddaab28065','241dcc9842d4478b902a75ab4643f276','e2d14928a9234064b2ccf3e5d61c988d','2026-11-26 14:04:35.288047');
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
INSERT INTO "groups" VALUES('f0c75570b4a14180bf1d7cddaab28065','39e7df55fb984d3992aa8966588f0005','Writers',NULL,'e2d14928a9234064b2ccf3e5d61c988d','2026-11-26 14:04:34.288047');
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
INSERT INTO "organization_domains" VALUES('79d09a7a38a34cfc93edb3e772a904b7','4c6443e5fb294367bc092d930f806624','example.com',0,'2026-11-26 14:04:21.288047');
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
INSERT INTO "organizations" VALUES('00000000000000000000000000000001','public','Public',1,1,NULL,'2026-11-26 14:04:12.248678');
INSERT INTO "organizations" VALUES('4c6443e5fb294367bc092d930f806624','example','Org',0,1,NULL,'2026-11-26 14:04:20.288047');
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
INSERT INTO "realms" VALUES('9429debbaa504be1870f30557d458950','suite','Suite',300,1,NULL,'2026-11-26 14:04:31.288047','2026-11-26 14:04:31.288047');
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
INSERT INTO "refresh_families" VALUES('1908ffa61e2743d09e4eadfef26f5f33','e2d14928a9234064b2ccf3e5d61c988d','39e7df55fb984d3992aa8966588f0005','c30e97fe685c4fb2b436b9365b7bd055','2026-11-26 14:04:34.288047','127.0.0.1','stage/1.0',NULL,NULL);
INSERT INTO "refresh_families" VALUES('7b530a6301e6406196c8686e197c25e2','5c0d6e3bc9b94d628c78e0889af27b64','39e7df55fb984d3992aa8966588f0005','c30e97fe685c4fb2b436b9365b7bd055','2026-11-26 14:04:34.288047','127.0.0.1','stage/1.0',NULL,NULL);
INSERT INTO "refresh_families" VALUES('2e6cffe7f2ea4811a3e4070dd0f4cf82','8a7ba428b6c746b88438152c06adb074','39e7df55fb984d3992aa8966588f0005','c30e97fe685c4fb2b436b9365b7bd055','2026-11-26 14:04:34.288047','127.0.0.1','stage/1.0',NULL,NULL);
INSERT INTO "refresh_families" VALUES('e5673e157e064fd1bf1e24686e30b24e','aff24d2ce79f468cb4a03cbbf70e7b5b','39e7df55fb984d3992aa8966588f0005','c30e97fe685c4fb2b436b9365b7bd055','2026-11-26 14:04:34.288047','127.0.0.1','stage/1.0','2026-11-26 14:04:34.288047','logout');
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
INSERT INTO "refresh_tokens" VALUES('42224e6fa5624e829fb92c8ba34f4c6c','1908ffa61e2743d09e4eadfef26f5f33','39439345fdbe4cc8ba7dcb23624fcf8e','2026-11-26 14:19:34.000000','2026-11-26 14:04:34.288047','2026-12-03 14:04:34.000000',NULL);
INSERT INTO "refresh_tokens" VALUES('c43f8543df9541ba992fef2b06cec5fa','7b530a6301e6406196c8686e197c25e2','c12dae42dae04666bd802b307d053707','2026-11-26 14:19:34.000000','2026-11-26 14:04:34.288047','2026-12-03 14:04:34.000000',NULL);
INSERT INTO "refresh_tokens" VALUES('595c900d64094bf384192224b60c9509','2e6cffe7f2ea4811a3e4070dd0f4cf82','746d20efbc0d4e7a80250d5a9cc0f08e','2026-11-26 14:19:34.000000','2026-11-26 14:04:34.288047','2026-12-03 14:04:34.000000','2026-11-26 14:04:34.288047');
INSERT INTO "refresh_tokens" VALUES('9bff38570d294f1a9a6c30fe4b6e2103','2e6cffe7f2ea4811a3e4070dd0f4cf82','a5252f8f25824c05b3653b5258235bd4','2026-11-26 14:19:34.000000','2026-11-26 14:04:34.288047','2026-12-03 14:04:34.000000',NULL);
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
INSERT INTO "resource_permissions" VALUES('1a13980e5b91442c9749c4eb66c67044','notes','document','42f42ff9df505b758c16cbe77cbfbbf1','39e7df55fb984d3992aa8966588f0005','e2d14928a9234064b2ccf3e5d61c988d','workspace','2026-11-26 14:04:34.288047');
INSERT INTO "resource_permissions" VALUES('db048ad5cef54e6a88a5fadfb4555081','notes','document','239080f3488258a7bc7938505d4d50a3','39e7df55fb984d3992aa8966588f0005','e2d14928a9234064b2ccf3e5d61c988d','private','2026-11-26 14:04:34.288047');
INSERT INTO "resource_permissions" VALUES('c3cb379cbf8c4b00b153de49bf1ccc3f','notes','document','c5f0f74506285e748b55d4f1723e07e4','39e7df55fb984d3992aa8966588f0005','e2d14928a9234064b2ccf3e5d61c988d','private','2026-11-26 14:04:34.288047');
INSERT INTO "resource_permissions" VALUES('e999d6e0a6b043fa9df754bcc0716b21','notes','document','6fbdb7903ad4546396f386f6a3bd7c84','39e7df55fb984d3992aa8966588f0005','e2d14928a9234064b2ccf3e5d61c988d','private','2026-11-26 14:04:34.288047');
INSERT INTO "resource_permissions" VALUES('3d46600371f64241b1b1d5e1e69831ec','notes','document','633f109e0bd252a6aed0eed426da5aa4','39e7df55fb984d3992aa8966588f0005','e2d14928a9234064b2ccf3e5d61c988d','private','2026-11-26 14:04:34.288047');
INSERT INTO "resource_permissions" VALUES('ed4c268f492a43e69e1c241bed21124c','notes','document','a50cfad526e05c558fcc80fafeca6715','39e7df55fb984d3992aa8966588f0005','e2d14928a9234064b2ccf3e5d61c988d','private','2026-11-26 14:04:34.288047');
CREATE TABLE resource_share_counts (
	resource_permission_id CHAR(32) NOT NULL, 
	workspace_id CHAR(32) NOT NULL, 
	service_name TEXT NOT NULL, 
	shares INTEGER NOT NULL, 
	CONSTRAINT pk_resource_share_counts PRIMARY KEY (resource_permission_id)
);
INSERT INTO "resource_share_counts" VALUES('c3cb379cbf8c4b00b153de49bf1ccc3f','39e7df55fb984d3992aa8966588f0005','notes',1);
INSERT INTO "resource_share_counts" VALUES('e999d6e0a6b043fa9df754bcc0716b21','39e7df55fb984d3992aa8966588f0005','notes',1);
INSERT INTO "resource_share_counts" VALUES('3d46600371f64241b1b1d5e1e69831ec','39e7df55fb984d3992aa8966588f0005','notes',2);
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
INSERT INTO "resource_shares" VALUES('d1e7f4e39bd44a6caf9f447651907426','c3cb379cbf8c4b00b153de49bf1ccc3f','user','5c0d6e3bc9b94d628c78e0889af27b64','view','e2d14928a9234064b2ccf3e5d61c988d','2026-11-26 14:04:34.288047');
INSERT INTO "resource_shares" VALUES('9992f3a18a2c46a7a7f5f2cb44ed243a','e999d6e0a6b043fa9df754bcc0716b21','group','f0c75570b4a14180bf1d7cddaab28065','edit','e2d14928a9234064b2ccf3e5d61c988d','2026-11-26 14:04:34.288047');
INSERT INTO "resource_shares" VALUES('44edbf60ca4f43b2b1b6ee11a5c1ed85','3d46600371f64241b1b1d5e1e69831ec','user','5c0d6e3bc9b94d628c78e0889af27b64','view','e2d14928a9234064b2ccf3e5d61c988d','2026-11-26 14:04:34.288047');
INSERT INTO "resource_shares" VALUES('d2f72ce8959f4370a29635d18c946c4f','3d46600371f64241b1b1d5e1e69831ec','group','f0c75570b4a14180bf1d7cddaab28065','edit','e2d14928a9234064b2ccf3e5d61c988d','2026-11-26 14:04:34.288047');
CREATE TABLE revoked_tokens (
	jti CHAR(32) NOT NULL, 
	expires_at DATETIME NOT NULL, 
	CONSTRAINT pk_revoked_tokens PRIMARY KEY (jti)
);
INSERT INTO "revoked_tokens" VALUES('e1fca976fd1d4790b4d805ec20417210','2026-11-26 14:19:34.000000');
INSERT INTO "revoked_tokens" VALUES('255ce78ebca152faa54fa2accb87f2a1','2026-11-26 14:04:34.288047');
CREATE TABLE role_actions (
	id CHAR(32) NOT NULL, 
	role_id CHAR(32) NOT NULL, 
	service_action_id CHAR(32) NOT NULL, 
	CONSTRAINT pk_role_actions PRIMARY KEY (id), 
	CONSTRAINT fk_role_actions_role_id_roles FOREIGN KEY(role_id) REFERENCES roles (id) ON DELETE CASCADE, 
	CONSTRAINT fk_role_actions_service_action_id_service_actions FOREIGN KEY(service_action_id) REFERENCES service_actions (id) ON DELETE CASCADE, 
	CONSTRAINT uq_role_actions_role_id_service_action_id UNIQUE (role_id, service_action_id)
);
INSERT INTO "role_actions" VALUES('6c7e80bff9c243e686a4dbc3bc4839ca','241dcc9842d4478b902a75ab4643f276','47802c498e374e9c836bd7c18eac5348');
INSERT INTO "role_actions" VALUES('32e2f1b274fb4d918f2d05dbc948fcaa','11826a418b764c6dabfab34e4966e0f8','04c24e796b544278833487d82b85bc3a');
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
INSERT INTO "roles" VALUES('241dcc9842d4478b902a75ab4643f276','39e7df55fb984d3992aa8966588f0005','Press','…','e2d14928a9234064b2ccf3e5d61c988d','2026-11-26 14:04:34.288047');
INSERT INTO "roles" VALUES('11826a418b764c6dabfab34e4966e0f8','39e7df55fb984d3992aa8966588f0005','Office','…','e2d14928a9234064b2ccf3e5d61c988d','2026-11-26 14:04:34.288047');
CREATE TABLE service_actions (
	id CHAR(32) NOT NULL, 
	service_name TEXT NOT NULL, 
	action TEXT NOT NULL, 
	description TEXT, 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_service_actions PRIMARY KEY (id), 
	CONSTRAINT uq_service_actions_service_name_action UNIQUE (service_name, action)
);
INSERT INTO "service_actions" VALUES('8dd71d5714824980867f42f9c92fc45a','notes','erase','To erase','2026-11-26 14:04:34.288047');
INSERT INTO "service_actions" VALUES('04c24e796b544278833487d82b85bc3a','notes','export','To export','2026-11-26 14:04:34.288047');
INSERT INTO "service_actions" VALUES('47802c498e374e9c836bd7c18eac5348','notes','publish','To publish','2026-11-26 14:04:34.288047');
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
INSERT INTO "service_apps" VALUES('7c2a5b99210a4b1ea609d854d5382395','Notes','notes','807ec1b60b543a9514ed24a57ab3c2248952246c53d84b9ef5139d91bf888b94','sk_qWOW****',NULL,NULL,1,'[]','[]',NULL,'2026-11-26 14:04:36.288047',NULL,'2026-11-26 14:04:30.288047','2026-11-26 14:04:30.288047');
INSERT INTO "service_apps" VALUES('a1727fe072a6408aa0fcbb724305c0cb','Tasks','tasks','389e184df3707c0282949a8b327a633effbf5d79ff183dd34a05c81b81281679','sk_4v3Y****',NULL,NULL,1,'[]','[]','9429debbaa504be1870f30557d458950',NULL,NULL,'2026-11-26 14:04:32.288047','2026-11-26 14:04:32.288047');
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
INSERT INTO "sign_in_memory" VALUES('e2d14928a9234064b2ccf3e5d61c988d','device','Other / Other','2026-11-26 14:04:34.288047','2026-11-26 14:04:34.288047');
INSERT INTO "sign_in_memory" VALUES('5c0d6e3bc9b94d628c78e0889af27b64','device','Other / Other','2026-11-26 14:04:34.288047','2026-11-26 14:04:34.288047');
INSERT INTO "sign_in_memory" VALUES('8a7ba428b6c746b88438152c06adb074','device','Other / Other','2026-11-26 14:04:34.288047','2026-11-26 14:04:34.288047');
INSERT INTO "sign_in_memory" VALUES('aff24d2ce79f468cb4a03cbbf70e7b5b','device','Other / Other','2026-11-26 14:04:34.288047','2026-11-26 14:04:34.288047');
INSERT INTO "sign_in_memory" VALUES('e2d14928a9234064b2ccf3e5d61c988d','country','AT','2026-11-26 14:04:34.288047','2026-11-26 14:04:34.288047');
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
INSERT INTO "social_accounts" VALUES('c4a0f55f2ec841a7b0cb8d181abd6fca','e2d14928a9234064b2ccf3e5d61c988d','corp','sub-ada','{}');
INSERT INTO "social_accounts" VALUES('dd13d31177064324bfa535697269fbf3','5c0d6e3bc9b94d628c78e0889af27b64','corp','sub-grace','{}');
INSERT INTO "social_accounts" VALUES('07db8d62828544319a1e3d711d84b8ca','8a7ba428b6c746b88438152c06adb074','corp','sub-linus','{}');
INSERT INTO "social_accounts" VALUES('7ee72ea4f92345ab97d594538761f3fc','aff24d2ce79f468cb4a03cbbf70e7b5b','corp','sub-gone','{}');
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
INSERT INTO "user_roles" VALUES('cba25221e2fc40f588925bf3fc9e76d6','e2d14928a9234064b2ccf3e5d61c988d','11826a418b764c6dabfab34e4966e0f8','e2d14928a9234064b2ccf3e5d61c988d','2026-11-26 14:04:35.288047');
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
INSERT INTO "users" VALUES('e2d14928a9234064b2ccf3e5d61c988d','ada@example.com','Ada Élan',NULL,1,0,'4c6443e5fb294367bc092d930f806624',0,'2026-11-26 14:04:12.288047','2026-11-26 14:04:34.288047');
INSERT INTO "users" VALUES('5c0d6e3bc9b94d628c78e0889af27b64','grace@example.com','Grace Élan',NULL,1,0,'4c6443e5fb294367bc092d930f806624',0,'2026-11-26 14:04:14.288047','2026-11-26 14:04:34.288047');
INSERT INTO "users" VALUES('8a7ba428b6c746b88438152c06adb074','linus@example.com','Linus Élan',NULL,1,0,'4c6443e5fb294367bc092d930f806624',0,'2026-11-26 14:04:16.288047','2026-11-26 14:04:34.288047');
INSERT INTO "users" VALUES('aff24d2ce79f468cb4a03cbbf70e7b5b','gone@example.com','Gone Élan',NULL,1,0,'4c6443e5fb294367bc092d930f806624',1,'2026-11-26 14:04:18.288047','2026-11-26 14:04:34.288047');
CREATE TABLE workspace_allowed_organizations (
	id CHAR(32) NOT NULL, 
	workspace_id CHAR(32) NOT NULL, 
	organization_id CHAR(32) NOT NULL, 
	CONSTRAINT pk_workspace_allowed_organizations PRIMARY KEY (id), 
	CONSTRAINT fk_workspace_allowed_organizations_organization_id FOREIGN KEY(organization_id) REFERENCES organizations (id) ON DELETE RESTRICT, 
	CONSTRAINT fk_workspace_allowed_organizations_workspace_id_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id) ON DELETE CASCADE, 
	CONSTRAINT uq_workspace_allowed_organizations_workspace_id_organization_id UNIQUE (workspace_id, organization_id)
);
INSERT INTO "workspace_allowed_organizations" VALUES('158576c63a59447cae332fc2d5a5479e','0edb4cf4a3b646f88e46017bcfa5d7c8','4c6443e5fb294367bc092d930f806624');
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
INSERT INTO "workspace_memberships" VALUES('67d5b118a5354069ab30b12bbbc5338a','39e7df55fb984d3992aa8966588f0005','e2d14928a9234064b2ccf3e5d61c988d','owner','2026-11-26 14:04:23.288047');
INSERT INTO "workspace_memberships" VALUES('a12e32a72d224469ab115e790e885de3','0edb4cf4a3b646f88e46017bcfa5d7c8','5c0d6e3bc9b94d628c78e0889af27b64','owner','2026-11-26 14:04:25.288047');
INSERT INTO "workspace_memberships" VALUES('924b9bf467254e5a86f03e1c613cf9c5','39e7df55fb984d3992aa8966588f0005','5c0d6e3bc9b94d628c78e0889af27b64','admin','2026-11-26 14:04:26.288047');
INSERT INTO "workspace_memberships" VALUES('2554602601a54ce4b2dcecd18a62e9c9','39e7df55fb984d3992aa8966588f0005','8a7ba428b6c746b88438152c06adb074','viewer','2026-11-26 14:04:27.288047');
INSERT INTO "workspace_memberships" VALUES('f6b19a10251549e3b22587f79dcd0f3b','39e7df55fb984d3992aa8966588f0005','aff24d2ce79f468cb4a03cbbf70e7b5b','editor','2026-11-26 14:04:28.288047');
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
INSERT INTO "workspaces" VALUES('39e7df55fb984d3992aa8966588f0005','acme','Acme · Österreich',NULL,'e2d14928a9234064b2ccf3e5d61c988d','2026-11-26 14:04:22.288047');
INSERT INTO "workspaces" VALUES('0edb4cf4a3b646f88e46017bcfa5d7c8','elsewhere','Acme',NULL,'5c0d6e3bc9b94d628c78e0889af27b64','2026-11-26 14:04:24.288047');
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
CREATE TRIGGER resource_shares_added AFTER INSERT ON resource_shares BEGIN
    INSERT INTO resource_share_counts (resource_permission_id, workspace_id, service_name, shares)
    SELECT id, workspace_id, service_name, 1 FROM resource_permissions WHERE id = NEW.resource_permission_id
    ON CONFLICT (resource_permission_id) DO UPDATE SET shares = shares + 1;
END;
CREATE TRIGGER resource_shares_removed AFTER DELETE ON resource_shares BEGIN
    UPDATE resource_share_counts SET shares = shares - 1
    WHERE resource_permission_id = OLD.resource_permission_id;
    DELETE FROM resource_share_counts
    WHERE resource_permission_id = OLD.resource_permission_id AND shares = 0;
END;
CREATE TRIGGER resource_permissions_moved AFTER UPDATE OF service_name ON resource_permissions
WHEN OLD.service_name <> NEW.service_name BEGIN
    UPDATE resource_share_counts SET service_name = NEW.service_name WHERE resource_permission_id = NEW.id;
END;
CREATE INDEX ix_resource_share_counts_all ON resource_share_counts (shares, resource_permission_id);
CREATE INDEX ix_resource_share_counts_workspace ON resource_share_counts (workspace_id, shares, resource_permission_id);
CREATE INDEX ix_resource_share_counts_service ON resource_share_counts (service_name, shares, resource_permission_id);
CREATE INDEX ix_resource_permissions_reach ON resource_permissions (workspace_id, service_name, resource_type, created_at, id);
CREATE INDEX ix_resource_permissions_owner_id_created_at_id ON resource_permissions (owner_id, created_at, id);
COMMIT;
